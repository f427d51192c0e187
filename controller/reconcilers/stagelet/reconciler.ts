// Reads, decides and writes within one write, so that no status is decided from an outdated set. Many stagelets share a
// write, which reads their common objects once.
import type { Clock } from '../../../src/kernel/clock.ts'
import {
  agentFinalizer,
  keyOf,
  refFromKey,
  refOf,
  type KubeObject,
} from '../../../src/resources/meta.ts'
import {
  done,
  waitFor,
  type ReconcileOutcome,
  type Reconciler,
} from '../../../src/runtime/control-loop.ts'
import { earliest } from '../../../src/kernel/earliest.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { reconcilerActor } from '../actor.ts'
import { writeNotKnown } from '../not-known.ts'
import { decideStagelet } from './decide.ts'
import { stageletEventsOf } from './events.ts'
import { awaitedBy } from './first-rollout.ts'
import { activityOf } from './activity.ts'
import type { StageletInput } from './facts.ts'
import { gatherStagelet } from './gather.ts'
import { propagatedIn, type Propagated } from './propagation.ts'
import { cachingReader } from './caching-reader.ts'

export interface StageletReconciler extends Reconciler {
  /** True where the reconciler has written this state, and another run would not change it. */
  isSettled(stagelet: KubeObject): boolean
  /** To be called when the stagelet is gone. */
  forget(key: string): void
}

/** Called after the commit for each closed revision that is proven, failed or held back on a stagelet. */
export type OnPropagated = (project: string, propagated: Propagated) => void

export const createStageletReconciler = (deps: {
  store: Store
  clock: Clock
  onPropagated?: OnPropagated
}): StageletReconciler => {
  /** By key, the resourceVersion that was written last, where another run would change nothing. */
  const settled = new Map<string, string>()
  const reconcileAll = async (
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, ReconcileOutcome>> => {
    const now = deps.clock.now()
    const { outcomes, written, propagated } = await deps.store.write(reconcilerActor, {}, (tx) =>
      reconcileIn(tx, keys, now),
    )
    for (const [key, version] of written) settled.set(key, version)
    for (const [project, propagation] of propagated) deps.onPropagated?.(project, propagation)
    return outcomes
  }
  return {
    name: 'stagelet',
    reconcile: async (key) => (await reconcileAll([key])).get(key) ?? done,
    reconcileAll,
    notKnown: (key) => writeNotKnown(deps, [refFromKey(key)]),
    isSettled: (stagelet) =>
      settled.get(keyOf(refOf(stagelet))) === stagelet.metadata.resourceVersion,
    forget: (key) => settled.delete(key),
  }
}

/** Timers do not follow a clock that is set. */
const longestWaitMs = 3_600_000

interface Reconciled {
  readonly outcomes: ReadonlyMap<string, ReconcileOutcome>
  /** By key, the written resourceVersion, where another run would change nothing. */
  readonly written: ReadonlyMap<string, string>
  /** With the project, as `namespace/name`. */
  readonly propagated: readonly (readonly [string, Propagated])[]
}

const reconcileIn = async (
  tx: Transaction,
  keys: readonly string[],
  now: number,
): Promise<Reconciled> => {
  const refs = keys.map(refFromKey)
  const reader = cachingReader(tx)
  const inputs: StageletInput[] = []
  for (const ref of refs) {
    const input = await gatherStagelet(reader, ref, now)
    if (input !== undefined) inputs.push(input)
  }
  const decided = inputs.map((input) => ({ input, ...decideStagelet(input) }))
  const outcomes = new Map<string, ReconcileOutcome>()
  const written = new Map<string, string>()
  for (const { input, status, nextAt } of decided) {
    const { stagelet, revisions } = input
    const key = keyOf(refOf(stagelet))
    const { metadata } = await tx.setStatus({ ...stagelet, status })
    // A machine tells the time: a row of the future would stay on top of all teams' activity, and be dropped never.
    for (const entry of activityOf(input, status))
      await tx.recordActivity({ ...entry, at: Math.min(entry.at, now) })
    const isFinal = sameJson(
      decideStagelet({ ...input, stagelet: { ...stagelet, status } }).status,
      status,
    )
    if (isFinal) written.set(key, metadata.resourceVersion ?? '')
    // When the change set closes the Project is written, which starts a run. This is for the case that the event is lost.
    const closed = revisions?.closesAt === undefined ? undefined : now + 5000
    const due = earliest(awaitedBy(input)?.until ?? closed, nextAt)
    outcomes.set(key, due === undefined ? done : waitFor(Math.min(due - now, longestWaitMs)))
  }
  await tx.recordEvents(
    decided.flatMap(({ input, status }) => stageletEventsOf(input.stagelet, status)),
  )
  for (const { input, release } of decided) {
    const { stagelet } = input
    if (release && stagelet.metadata.finalizers?.includes(agentFinalizer) === true)
      await tx.removeFinalizer(refOf(stagelet), agentFinalizer)
  }
  for (const { input, isOver } of decided) if (isOver) await tx.remove(refOf(input.stagelet))
  const propagated = decided.flatMap(({ input: { stagelet }, status }) => {
    const propagation = propagatedIn(stagelet.status, status)
    const project = `${stagelet.metadata.namespace ?? ''}/${stagelet.spec.projectRef.name}`
    return propagation === undefined ? [] : [[project, propagation] as const]
  })
  return { outcomes, written, propagated }
}
