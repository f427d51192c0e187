// Which login is in use, and whether the idle one may be changed.
import { refOf } from '../../src/resources/meta.ts'
import { reconcilerActor } from '../reconcilers/actor.ts'
import type { Credential } from './rotator.ts'
import type { Work } from './work.ts'

/** Values of now. */
export const readOld = async ({
  store,
  gathered,
  rotator,
  status,
}: Work): Promise<Credential | undefined> => {
  const values: Record<string, string> = {}
  for (const [output, secret] of gathered.outputs) {
    if (secret.status?.version === undefined) continue
    const opened = await store.revealSecret(reconcilerActor, refOf(secret), { way: 'rotation' })
    values[output] = opened.value.toString('utf8')
  }
  if (Object.keys(values).length === 0) return undefined
  // The login that is in use is the one that the outputs name, whatever an earlier attempt has come to.
  const { username } = values
  const slot = username === undefined ? status.slot : rotator.slots.find((one) => one === username)
  return { slot, values }
}

interface Turns {
  readonly old: Credential | undefined
  readonly candidateSlot: string | undefined
}

/** Which credential is the old one, and which login gets the new one. */
export const turnsOf = async (work: Work): Promise<Turns> => {
  const { rotator, status, signal } = work
  const { slots } = rotator
  // What the outputs hold is dead: what runs must be found.
  if (status.cause === 'Refused') {
    const { idle = slots[0], running } = (await rotator.find?.(signal)) ?? {}
    return { old: running, candidateSlot: idle }
  }
  const old = await readOld(work)
  const live = old === undefined ? status.slot : old.slot
  return { old, candidateSlot: slots.find((slot) => slot !== live) ?? slots[0] }
}

/** To set, scramble or end one of the two changes the other: both are one login. */
export const isSameLogin = (
  { rotator, rotation }: Work,
  old: Credential,
  other: Credential,
): boolean => {
  if (rotator.slots.length === 0 || rotation.spec.inPlace === true) return false
  const [a, b] = [old, other].map(({ values, slot }) => values['username'] ?? slot)
  return a !== undefined && a === b
}

/** Why the idle slot may belong to somebody else. */
export const idleFaults = async (
  work: Work,
  candidate: Credential,
  old: Credential | undefined,
): Promise<string[]> => {
  const { rotator, rotation, signal } = work
  if (rotator.slots.length === 0 || rotation.spec.inPlace === true) return []
  const name = candidate.values['username'] ?? candidate.slot ?? ''
  if (old !== undefined && isSameLogin(work, old, candidate))
    return [`login ${name} is in use: the outputs hold it, and no other one takes turns with it`]
  const { sessions } = await rotator.stillUsed(candidate, signal)
  if (sessions === undefined || sessions === 0) return []
  const many = sessions === 1 ? '1 session' : `${sessions} sessions`
  return [`login ${name} should be idle, but has ${many}: find out whose they are, and end them`]
}
