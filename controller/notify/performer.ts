// Tells people what the outbox holds: reads what was meant, does it, writes down what came of it. See ADR 0062.
import { backoffMs } from '../../src/kernel/backoff.ts'
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { isReason } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { withConditions } from '../../src/resources/conditions.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { statusOf } from '../../src/kinds/typed.ts'
import {
  done,
  noState,
  startControlLoop,
  waitFor,
  type ReconcileOutcome,
} from '../../src/runtime/control-loop.ts'
import { settleMs, type Batch, type Outbox } from '../../src/store/outbox.ts'
import type { ChangeEvent, Store } from '../../src/store/store.ts'
import type { Egress } from '../egress/gate.ts'
import { scheduleOn } from '../follow-store.ts'
import { reconcilerActor } from '../reconcilers/actor.ts'
import { no, yes, type Verdict } from '../reconcilers/verdict.ts'
import { deliver, type Attempt } from './deliver.ts'
import type { Mailer } from './mail.ts'

interface PerformerDeps {
  readonly store: Store
  readonly outbox: Outbox
  readonly egress: Egress
  readonly mail?: Mailer | undefined
  /** Address of the controller, where it serves the dashboard. */
  readonly dashboard?: string | undefined
  readonly clock: Clock
  readonly log: Logger
  /** undefined: there are no other replicas. */
  readonly term: number | undefined
}

const backoff = { baseMs: 5_000, capMs: 3_600_000 }
const mostTryMs = 86_400_000
/** Without a notice it looks again after this time: a change may have been missed. */
const idleMs = 3_600_000
const leastMs = 100
/** Each receiver has its own rate: a receiver that hangs delays neither other receivers nor new notices. */
const workers = 64
/** The key of the loop that stands for the outbox; all others are IDs of messages. */
const outboxKey = ''

/** A message on its way. */
interface Sending {
  readonly batch: Batch
  /** What came of it, until that is written down: it is not sent again meanwhile. */
  attempt?: Attempt
}

const isOfEvent = ({ object, type }: ChangeEvent): boolean =>
  object.kind === 'Event' && type !== 'DELETED'

export const startNotifyPerformer = (deps: PerformerDeps): { stop(): Promise<void> } => {
  const { outbox, clock, log } = deps
  const stopping = new AbortController()
  const sending = new Map<string, Sending>()

  const collect = async (): Promise<ReconcileOutcome> => {
    const due = await outbox.due(clock.now(), deps.term)
    for (const batch of due) {
      if (sending.has(batch.id)) continue
      sending.set(batch.id, { batch })
      loop.enqueue(batch.id)
    }
    await outbox.forget(clock.now())
    const next = (await outbox.nextAt([...sending.keys()])) ?? Infinity
    return waitFor(Math.min(Math.max(next - clock.now(), leastMs), idleMs))
  }
  const reconcile = async (key: string, signal: AbortSignal): Promise<ReconcileOutcome> => {
    if (key === outboxKey) return collect()
    const notice = sending.get(key)
    if (notice === undefined) return done
    await perform(deps, notice, signal)
    sending.delete(key)
    loop.enqueue(outboxKey)
    return done
  }
  const loop = startControlLoop(
    { clock, log, workers },
    {
      name: 'notices',
      reconcile,
      notKnown: noState,
    },
  )
  const schedule = (): void => loop.enqueueAfter(outboxKey, settleMs)
  const following = scheduleOn(deps, stopping.signal, schedule, isOfEvent)
  loop.enqueue(outboxKey)
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all([loop.stop(), following])
    },
  }
}

const perform = async (
  deps: PerformerDeps,
  sending: Sending,
  signal: AbortSignal,
): Promise<void> => {
  const { store, outbox, egress, mail, clock, term } = deps
  const { batch } = sending
  const notifier = await store.getByUid('Notifier', batch.notifier)
  if (notifier === undefined) {
    await outbox.end(batch.id, clock.now(), term)
    return
  }
  const tools = { store, egress, mail, dashboard: deps.dashboard, now: () => clock.now() }
  sending.attempt ??= await deliver(tools, notifier, batch, signal)
  const { attempt } = sending
  if (signal.aborted) return
  const now = clock.now()
  const { verdict, nextAt } = outcomeOf(batch, attempt, now)
  if (nextAt === undefined) await outbox.end(batch.id, now, term)
  else await outbox.tryAgain(batch.id, nextAt, term)
  await writeFact(deps, notifier, { verdict, deliveredAt: attempt.ok ? now : undefined })
}

/** What is true now, and when (ms) to try again. */
const outcomeOf = (
  { attempts, since, count }: Batch,
  attempt: Attempt,
  now: number,
): { verdict: Verdict; nextAt: number | undefined } => {
  if (attempt.ok)
    return {
      verdict: yes('Delivered', `the last message was taken: ${attempt.answer}`),
      nextAt: undefined,
    }
  const notices = `${count} ${count === 1 ? 'notice' : 'notices'}`
  if (now - since >= mostTryMs) {
    const message = `${notices} were not taken within 24 h, and are given up: ${attempt.answer}`
    return { verdict: no('GaveUp', message), nextAt: undefined }
  }
  const nextAt = now + Math.max(backoff.baseMs, backoffMs(attempts, backoff))
  return { verdict: no('Retrying', `${attempt.answer}; it is tried again for 24 h`), nextAt }
}

const writeFact = async (
  { store, clock }: PerformerDeps,
  notifier: KubeObject,
  { verdict, deliveredAt }: { verdict: Verdict; deliveredAt: number | undefined },
): Promise<void> => {
  try {
    await store.write(reconcilerActor, {}, async (tx) => {
      const current = await tx.get(refOf(notifier))
      if (current?.metadata.uid !== notifier.metadata.uid || current === undefined) return
      const { generation } = current.metadata
      const before = statusOf('Notifier', current)
      const now = toTimestamp(clock.now())
      const conditions = withConditions(
        before.conditions,
        { Delivering: verdict },
        { generation, now },
      )
      const last = deliveredAt === undefined ? {} : { lastDeliveredAt: toTimestamp(deliveredAt) }
      const status = { ...before, ...last, observedGeneration: generation, conditions }
      await tx.setStatus({ ...current, status })
    })
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}
