// Writes down what a look has brought: one change set for all of it, so that one revision and one re-creation follow.
import { randomUUID } from 'node:crypto'
import { StagelyError, type Reason } from '../../src/kernel/errors.ts'
import { findCondition, withConditions } from '../../src/resources/conditions.ts'
import type { SecretStoreStatus } from '../../src/kinds/secret-store/schema.ts'
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { withDates } from '../../src/kinds/secret/expiry-status.ts'
import type { SecretStatus } from '../../src/kinds/secret/schema.ts'
import { ofKind, statusOf } from '../../src/kinds/typed.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import type { Actor, ChangeSet, Store, Transaction } from '../../src/store/store.ts'
import { no } from '../reconcilers/verdict.ts'
import { withServedEnd, type SecretOutcome as OutcomeOf } from './decide-secret.ts'
import type { Held } from './held-values.ts'
import { placeInStore, storeSecretOf, type StoreObject, type StoreSecret } from './store-secret.ts'

export interface OutcomeWriteDeps {
  readonly store: Pick<Store, 'write'>
  readonly clock: Pick<Clock, 'now'>
  /** Before the feed tells of it. */
  readonly onWritten?: ((secret: KubeObject) => void) | undefined
  /** So many outcomes in one write: others have their turn between two. */
  readonly inOne?: number | undefined
  /** Between two writes it ends what is left: a controller that stops does not write thousands of secrets before. */
  readonly signal?: AbortSignal
}

type Outcome = OutcomeOf<Held>

const usualInOne = 500

const actorOf = ({ ref, uid }: StoreObject): Actor => ({
  name: `store:${ref.namespace}/${ref.name}`,
  source: 'system',
  authority: 'whole',
  // Values come from whoever may write there, and may be guesses.
  countedAs: `store ${uid}`,
})

/**
 * The secret as it is now, if it still asks for the same. Overtaken: another step has written of it meanwhile,
 * and what was asked before that step says nothing.
 */
const stillAsks = async (
  tx: Transaction,
  secretStore: StoreObject,
  secret: StoreSecret,
): Promise<KubeObject | 'overtaken' | undefined> => {
  const current = await tx.get(secret.ref)
  if (current?.metadata.uid !== secret.uid) return undefined
  const now = storeSecretOf(current)
  if (now === undefined || placeInStore(secretStore, now) !== placeInStore(secretStore, secret))
    return undefined
  return sameJson(now.last, secret.last) ? current : 'overtaken'
}

const writeOne = async (
  tx: Transaction,
  secretStore: StoreObject,
  { secret, value, last, fresh }: Outcome,
  nowMs: number,
): Promise<KubeObject | 'overtaken' | undefined> => {
  const current = await stillAsks(tx, secretStore, secret)
  if (typeof current !== 'object') return current
  const { key } = secret.external
  const fetched = { store: secretStore.ref.name, key, remoteVersion: last.version ?? '' }
  const after =
    value === undefined ? current : await tx.putFetched(secret.ref, { ...fetched, value: value() })
  const { generation } = after.metadata
  const status = statusOf('StagelySecret', after)
  const conditions = withConditions(
    status.conditions,
    { Fresh: fresh },
    { generation, now: toTimestamp(nowMs) },
  )
  const next = { ...status, external: { ...last }, conditions }
  const isSameEnd = last.expiresAt === status.external?.expiresAt
  const dated = isSameEnd
    ? next
    : await withNewEnd(tx, { ...after, status: next }, { nowMs, isMoved: value === undefined })
  return tx.setStatus({ ...after, status: dated })
}

/**
 * A value that ends later is near its end no more in the write that brings it. An end that moves at each look, as that
 * of a lease, is one warning.
 */
const withNewEnd = async (
  tx: Transaction,
  secret: KubeObject,
  now: { readonly nowMs: number; readonly isMoved: boolean },
): Promise<SecretStatus> => {
  const { spec, status = {}, metadata } = ofKind('StagelySecret', secret)
  const { name } = spec.projectRef
  const project = await tx.get({ kind: 'Project', namespace: metadata.namespace ?? '', name })
  const judging = { ...now, announces: false, policy: project?.spec?.secretPolicy }
  return withDates(spec, status, judging).status
}

/** Faults of one secret or of its project: the others are written all the same. */
const ofOne: readonly Reason[] = [
  'Invalid',
  'ServiceUnavailable',
  'KeyRotationOverdue',
  'PolicyOverdue',
  'SameAsProduction',
  'TooManyRequests',
]
const isOfOne = (error: unknown): error is StagelyError =>
  error instanceof StagelyError && ofOne.includes(error.reason)

/**
 * Of a value that the store of ours does not take: another secret follows it and has another format, or the
 * key of its project does not answer. What is not the value's fault is fetched again at the next look.
 */
const refusedBy = ({ secret, last }: Outcome, error: StagelyError): Outcome => {
  const [fault] = error.details.faults ?? []
  const message = `${fault?.message ?? error.message}; the value of before goes on being served`
  const isFinal = error.reason === 'Invalid'
  const kept = isFinal ? withServedEnd(secret, last) : secret.last
  return { secret, last: kept, fresh: no('Refused', message) }
}

/** True: another step has written of one of the secrets meanwhile, and its outcome was dropped. */
export const writeOutcomes = async (
  { store, clock, onWritten, inOne = usualInOne, signal }: OutcomeWriteDeps,
  secretStore: StoreObject,
  outcomes: readonly Outcome[],
): Promise<boolean> => {
  const id = randomUUID()
  let isOvertaken = false
  const write = async (part: readonly Outcome[], changeSet: ChangeSet): Promise<void> => {
    signal?.throwIfAborted()
    const written = await store.write(actorOf(secretStore), { changeSet }, async (tx) => {
      const results: Awaited<ReturnType<typeof writeOne>>[] = []
      for (const outcome of part)
        results.push(await writeOne(tx, secretStore, outcome, clock.now()))
      return results
    })
    for (const result of written)
      if (result === 'overtaken') isOvertaken = true
      else if (result !== undefined) onWritten?.(result)
  }
  for (let at = 0; at < outcomes.length; at += inOne) {
    const part = outcomes.slice(at, at + inOne)
    const last = at + inOne >= outcomes.length
    try {
      await write(part, { id, last })
    } catch (error) {
      if (!isOfOne(error)) throw error
      await writeOneByOne(part, (outcome, isLast) => write([outcome], { id, last: last && isLast }))
    }
  }
  return isOvertaken
}

const writeOneByOne = async (
  part: readonly Outcome[],
  write: (outcome: Outcome, isLast: boolean) => Promise<void>,
): Promise<void> => {
  for (const [i, outcome] of part.entries()) {
    const isLast = i === part.length - 1
    try {
      await write(outcome, isLast)
    } catch (error) {
      if (!isOfOne(error)) throw error
      await write(refusedBy(outcome, error), isLast)
    }
  }
}

/** Through the tombstone: each can be restored. What something needs stays, and its condition says that it is missing. */
export const removeSecrets = async (
  { store, signal }: OutcomeWriteDeps,
  secretStore: StoreObject,
  secrets: readonly StoreSecret[],
): Promise<void> => {
  for (const secret of secrets) {
    signal?.throwIfAborted()
    try {
      await store.write(actorOf(secretStore), {}, async (tx) => {
        const current = await stillAsks(tx, secretStore, secret)
        if (typeof current !== 'object') return
        await tx.recordEvent({
          regarding: current,
          type: 'Warning',
          reason: 'RemovedUpstream',
          message: `the store "${secretStore.ref.name}" no longer has "${secret.external.key}" (onMissing: Remove); "stagely secrets restore" brings it back`,
        })
        await tx.remove(secret.ref, { uid: secret.uid })
      })
    } catch (error) {
      if (!(error instanceof StagelyError)) throw error
    }
  }
}

interface ToldOfStore {
  readonly reason: 'StoreStale' | 'StoreUnauthorized'
  readonly message: string
}

const messageIn = ({ conditions }: SecretStoreStatus, type: string): string =>
  findCondition(conditions, type)?.message ?? ''

export const storeStale = (status: SecretStoreStatus): ToldOfStore => ({
  reason: 'StoreStale',
  message: messageIn(status, 'Fresh'),
})

export const storeUnauthorized = (status: SecretStoreStatus): ToldOfStore => ({
  reason: 'StoreUnauthorized',
  message: messageIn(status, 'Ready'),
})

/** With what people are told by the same write. */
export const writeStatus = async (
  { store }: OutcomeWriteDeps,
  secretStore: StoreObject,
  status: SecretStoreStatus,
  events: readonly ToldOfStore[],
): Promise<void> => {
  await store.write(actorOf(secretStore), {}, async (tx) => {
    const current = await tx.get(secretStore.ref)
    if (current === undefined || current.metadata.uid !== secretStore.uid) return
    await tx.setStatus({ ...current, status })
    for (const event of events)
      await tx.recordEvent({ regarding: current, type: 'Warning', ...event })
  })
}
