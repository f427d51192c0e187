// Which login is in use, and whether the idle one may be changed.
import { refOf } from '../../../src/resources/meta.ts'
import { reconcilerActor } from '../../reconcilers/actor.ts'
import type { Credential, Rotator } from '../providers/rotator.ts'
import { ownLoginsOf } from './own-logins.ts'
import type { EffectContext } from './work.ts'

/** Values of now. */
export const readOld = async ({
  store,
  gathered,
  rotator,
  status,
}: EffectContext): Promise<Credential | undefined> => {
  const values: Record<string, string> = {}
  for (const [output, secret] of gathered.outputs) {
    if (secret.status?.version === undefined) continue
    const opened = await store.revealSecret(reconcilerActor, refOf(secret), { way: 'rotation' })
    values[output] = opened.value.toString('utf8')
  }
  if (Object.keys(values).length === 0) return undefined
  // The login that is in use is the one that the outputs name, whatever an earlier attempt has come to.
  const { username } = values
  const slot =
    username === undefined ? status.slot : rotator.slots.find((slot) => slot === username)
  return { slot, values }
}

/** Services use this login, and no output says with which password: it is named, to be ended. */
const adoptedBy = ({ adopt }: Rotator): Credential | undefined =>
  adopt === undefined ? undefined : { slot: undefined, values: { username: adopt } }

/** Of the credential no password is known. */
export const isLoginAlone = ({ values }: Credential): boolean =>
  Object.keys(values).every((output) => output === 'username')

interface Turns {
  readonly old: Credential | undefined
  readonly candidateSlot: string | undefined
}

/** Which credential is the old one, and which login gets the new one. */
export const turnsOf = async (work: EffectContext): Promise<Turns> => {
  const { rotator, status, signal } = work
  const { slots } = rotator
  // What the outputs hold is dead: what runs must be found.
  if (status.cause === 'Refused') {
    const { idle = slots[0], running } = (await rotator.find?.(signal)) ?? {}
    return { old: running, candidateSlot: idle }
  }
  const old = (await readOld(work)) ?? adoptedBy(rotator)
  const live = old === undefined ? status.slot : old.slot
  return { old, candidateSlot: slots.find((slot) => slot !== live) ?? slots[0] }
}

export const sameValues = (
  a: Pick<Credential, 'values'>,
  b: Pick<Credential, 'values'>,
): boolean => {
  const names = Object.keys(a.values)
  return (
    names.length === Object.keys(b.values).length &&
    names.every((name) => a.values[name] === b.values[name])
  )
}

/** To set, scramble or end one of the two changes the other: both are one login. */
export const isSameLogin = (
  { rotator, rotation }: EffectContext,
  old: Credential,
  other: Credential,
): boolean => {
  if (rotator.slots.length === 0 || rotation.spec.inPlace === true) return false
  const [a, b] = [old, other].map(({ values, slot }) => values['username'] ?? slot)
  return a !== undefined && a === b
}

/** Why the login that gets the new credential may belong to somebody else. */
export const idleFaults = async (
  work: EffectContext,
  candidate: Credential,
  old: Credential | undefined,
): Promise<string[]> => {
  const { rotator, rotation, status, signal } = work
  const isInPlace = rotation.spec.inPlace === true
  // The one login of a rotation in place is in use, once the outputs hold it.
  if (
    rotator.slots.length === 0 ||
    (isInPlace && (old !== undefined || status.cause === 'Refused'))
  )
    return []
  const name = candidate.values['username'] ?? candidate.slot ?? ''
  if (old !== undefined && isSameLogin(work, old, candidate))
    return [`login ${name} is in use: the outputs hold it, and no other one takes turns with it`]
  const { sessions, from, canLogIn } = await rotator.stillUsed(candidate, signal)
  if (sessions !== undefined && sessions > 0) {
    const many = sessions === 1 ? '1 session' : `${sessions} sessions`
    const where = from.length === 0 ? '' : ` (from ${from.slice(0, 5).join(', ')})`
    return [
      `login ${name} should be idle, but has ${many}${where}: find out whose they are, and end them`,
    ]
  }
  if (canLogIn === false) return []
  // What the outputs hold is refused, and what runs was not proven since the backup.
  if (status.cause === 'Refused' && canLogIn === true)
    return [
      `login ${name} still accepts passwords, and services may run with it: where nobody uses it, ${closing(work, name)}, then run the rotation`,
    ]
  if (ownLoginsOf(work).includes(name)) return runFaults(work, name)
  if (canLogIn === undefined) return []
  return [
    `login ${name} can log in, and this rotation has not set it: somebody else may use it, who would be shut out; name another login, or, where nobody uses it, ${closing(work, name)}`,
  ]
}

/** An earlier attempt that was given up has left its login valid: containers may run it, although the outputs do not hold it. */
const runFaults = (work: EffectContext, name: string): string[] => {
  const { blockedBy, rolling } = work.gathered.facts.proof
  const stagelets = [...blockedBy.flatMap(({ stagelet }) => stagelet ?? []), ...rolling]
  if (stagelets.length === 0) return []
  const where = [...new Set(stagelets)].slice(0, 20).join(', ')
  return [
    `login ${name} is still valid from an attempt that was given up, and may run in ${where}: it is not changed before these run what the outputs hold. Where nobody uses it, ${closing(work, name)}`,
  ]
}

/** How to take a login away. */
const closing = ({ rotation: { spec } }: EffectContext, name: string): string =>
  spec.rotator.mariadb === undefined
    ? `take its login away (ALTER ROLE ${name} NOLOGIN)`
    : `lock it (ALTER USER ${name} ACCOUNT LOCK)`
