// The status of a store after a step. Pure. While nothing changes it is written every 10 minutes at most.
import { toTimestamp } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { findCondition, withConditions } from '../../src/resources/conditions.ts'
import {
  providerOf,
  staleMsOf,
  type SecretStoreSpec,
  type SecretStoreStatus,
} from '../../src/kinds/secret-store/schema.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import { no, unknown, yes, type Verdict } from '../reconcilers/verdict.ts'
import { isUnauthorized } from './decide-store.ts'
import type { NotificationListener } from './notifications/notification-listener.ts'
import { askedHourly, type Remembered } from './remembered.ts'

interface StoreStatusInput extends Pick<
  Remembered,
  'answered' | 'fault' | 'identity' | 'areDeletionsHeld' | 'lagMs' | 'lookedAt'
> {
  readonly spec: SecretStoreSpec
  readonly generation: number
  readonly nowMs: number
  readonly credential: string
  readonly queue: NotificationListener['state']
  readonly secrets: number
  readonly nextAt: number | undefined
  readonly calls: number
}

const quietMs = 600_000

/** From then on (ms) what it holds is stale. */
export const staleAtOf = (spec: SecretStoreSpec, lookedAt: number): number =>
  lookedAt + staleMsOf(spec)

const readyOf = ({ fault, identity, credential }: StoreStatusInput): Verdict => {
  if (fault !== undefined && fault.kind !== 'Throttled') {
    const { kind, message } = fault
    if (kind !== 'Unauthorized') return no(kind, `${message}; it is tried again`)
    const next = isUnauthorized(fault)
      ? `${askedHourly}, when the credential or the spec changes, and by "stagely stores check"`
      : 'it is tried again'
    return no(kind, `${message}; ${next}`)
  }
  if (credential === '' || identity === undefined)
    return unknown('NotAsked', 'it was not asked yet')
  return yes('Accepted', `the store takes the controller for ${identity}`)
}

const freshOf = ({ spec, lookedAt, nowMs }: StoreStatusInput): Verdict => {
  if (lookedAt === undefined) return unknown('NotLooked', 'it was not looked at yet')
  if (nowMs < staleAtOf(spec, lookedAt))
    return yes('Checked', 'its last look (lastLookAt) is not older than spec.staleAfter')
  const message = `it was not looked at since ${toTimestamp(lookedAt)}: values are as they were then, and are served`
  return no('Stale', message)
}

const throttledOf = ({ fault, nextAt }: StoreStatusInput): Verdict =>
  fault?.kind === 'Throttled'
    ? yes('TooManyCalls', `${fault.message}; until ${toTimestamp(nextAt ?? 0)} it is left alone`)
    : no('Free', 'it does not ask to be left alone')

const deletionGuardOf = ({ areDeletionsHeld }: StoreStatusInput): Verdict =>
  areDeletionsHeld
    ? yes(
        'ManyMissing',
        'more than half of its secrets were missing at once: nothing is removed until somebody says "stagely stores resume"',
      )
    : no('Free', 'what is missing is dealt with as spec.onMissing says')

/** The condition Listening is that of a store with a queue; before anything is known it says what it said. */
const listeningOf = ({ queue }: StoreStatusInput): Record<string, Verdict> => {
  if (queue === undefined) return {}
  if (queue === 'listening')
    return { Listening: yes('Receiving', 'notifications are taken from the queue (spec.push.sqs)') }
  const message = `${queue.message}; it is tried again, and the store is looked at as spec.refresh says`
  return { Listening: no(queue.reason, message) }
}

export const statusAfter = (
  before: SecretStoreStatus,
  now: StoreStatusInput,
): SecretStoreStatus => {
  const { generation, nowMs, lookedAt, nextAt, answered } = now
  const isListening = now.spec.push?.sqs !== undefined
  const conditions = withConditions(
    before.conditions?.filter(({ type }) => isListening || type !== 'Listening'),
    {
      Ready: readyOf(now),
      Fresh: freshOf(now),
      Throttled: throttledOf(now),
      Braked: deletionGuardOf(now),
      ...(isListening && listeningOf(now)),
    },
    { generation, now: toTimestamp(nowMs) },
  )
  return {
    observedGeneration: generation,
    secrets: now.secrets,
    callsPerMinute: now.calls,
    lagSeconds: Math.round(now.lagMs / 1000),
    ...defined({
      provider: providerOf(now.spec),
      identity: now.identity,
      credential: now.credential === '' ? undefined : now.credential,
      lastLookAt: lookedAt === undefined ? undefined : toTimestamp(lookedAt),
      nextLookAt: nextAt === undefined ? undefined : toTimestamp(nextAt),
      answered: Object.keys(answered).length === 0 ? undefined : answered,
    }),
    conditions,
  }
}

/** Times and counts move with every look: they alone are no reason to write. */
const lasting = (status: SecretStoreStatus): unknown => {
  const { lastLookAt: _, nextLookAt: __, callsPerMinute: ___, lagSeconds: ____, ...rest } = status
  return rest
}

export const isWorthWriting = (
  before: SecretStoreStatus,
  after: SecretStoreStatus,
  { nowMs, writtenAt }: { readonly nowMs: number; readonly writtenAt: number },
): boolean => {
  if (!sameJson(lasting(before), lasting(after))) return true
  return before.lastLookAt !== after.lastLookAt && nowMs - writtenAt >= quietMs
}

export const isStaleIn = ({ conditions }: SecretStoreStatus): boolean =>
  findCondition(conditions, 'Fresh')?.reason === 'Stale'
