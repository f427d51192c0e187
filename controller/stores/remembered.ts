// What a runner knows of its store, and how much of that the process before has written down. Pure.
import { findCondition, type Condition } from '../../src/resources/conditions.ts'
import type { SecretStoreStatus } from '../../src/kinds/secret-store/schema.ts'
import type { KnownFault } from './decide-store.ts'
import { mostLoginTries, refusedMs } from './decide-store.ts'

export interface Remembered {
  /** The requests that were answered last. */
  answered: NonNullable<SecretStoreStatus['answered']>
  /** Which credential and spec were tried; '': none. */
  triedKey: string
  identity: string | undefined
  /** ms; of the last whole look. */
  lookedAt: number | undefined
  lagMs: number
  fault: KnownFault | undefined
  areDeletionsHeld: boolean
  /** Of the provider, for its next look. */
  cursor: string | undefined
}

export const askedHourly = 'it is asked once an hour'
/** What controllers said that asked no more. */
const saidBefore = 'it is not asked again until'

/** A message of ours, without what follows from it. */
const saidFirst = ({ message }: Condition): string => message.split('; ')[0] ?? ''

const faultOf = (
  { conditions, nextLookAt = '' }: SecretStoreStatus,
  nowMs: number,
): KnownFault | undefined => {
  const ready = findCondition(conditions, 'Ready')
  if (ready?.reason === 'Unauthorized') {
    const isSilent = [askedHourly, saidBefore].some((text) => ready.message.includes(text))
    // At a start it is asked once: somebody may have mended it meanwhile.
    const at = isSilent ? nowMs - 2 * refusedMs : nowMs
    const tries = isSilent ? mostLoginTries : 1
    return { kind: 'Unauthorized', message: saidFirst(ready), tries, at }
  }
  const throttled = findCondition(conditions, 'Throttled')
  const retryAfterMs = Date.parse(nextLookAt) - nowMs
  if (throttled?.status !== 'True' || !(retryAfterMs > 0)) return undefined
  return { kind: 'Throttled', message: saidFirst(throttled), tries: 1, at: nowMs, retryAfterMs }
}

export const rememberedOf = (status: SecretStoreStatus, nowMs: number): Remembered => {
  const { answered = {}, credential = '', identity, lagSeconds = 0, lastLookAt } = status
  return {
    answered,
    triedKey: credential,
    identity,
    lagMs: lagSeconds * 1000,
    cursor: undefined,
    lookedAt: lastLookAt === undefined ? undefined : Date.parse(lastLookAt),
    fault: faultOf(status, nowMs),
    areDeletionsHeld: findCondition(status.conditions, 'Braked')?.status === 'True',
  }
}
