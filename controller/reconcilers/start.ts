// Starts the reconcilers. createRouter() says which of them runs for which change: for all objects once, then for each change
// of the feed.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { repeatUntil } from '../../src/kernel/async/pause.ts'
import {
  keyOf,
  refFromKey,
  refOf,
  type KubeObject,
  type ObjectRef,
} from '../../src/resources/meta.ts'
import { heldOtherwise, holdIn, type ProjectHold } from '../../src/rollout/restored.ts'
import {
  startControlLoop,
  type ControlLoop,
  type LoopObserver,
} from '../../src/runtime/control-loop.ts'
import type { ChangeEvent, Store } from '../../src/store/store.ts'
import { followStore } from '../follow-store.ts'
import { reconcilerActor } from './actor.ts'
import { startChangeSetCloser } from './change-sets.ts'
import { createReportPace } from './report-pace.ts'
import { createStageletIndex } from './stagelet-index.ts'
import { withDelay } from './delayed-reconciler.ts'
import { createAgentReconciler } from './agent/reconciler.ts'
import { createProjectReconciler } from './project/reconciler.ts'
import { hasSameInputs } from './project/reconciled-inputs.ts'
import { createRolloutReconciler } from './rollout/reconciler.ts'
import {
  createStageletReconciler,
  type OnPropagated,
  type StageletReconciler,
} from './stagelet/reconciler.ts'

interface ReconcilerDeps extends LoopObserver {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly onPropagated?: OnPropagated
}

export interface Reconcilers {
  stop(): Promise<void>
}

/**
 * Statuses of secrets follow those of stagelets a moment later, once for a burst of changes. A project with
 * thousands of secrets takes long, so that it is reconciled less often while many writes come.
 */
const projectPace = { leastMs: 50, rest: 9, mostMs: 2_000 }
/** Short, so that the next stagelet is admitted soon; thousands of reports at once are counted in one run. */
const rolloutPace = { leastMs: 20, rest: 19, mostMs: 1_000 }
const compactEveryMs = 60_000
const checkSetsEveryMs = 3_600_000

export const startReconcilers = (deps: ReconcilerDeps): Reconcilers => {
  const { store, clock, log } = deps
  const stopping = new AbortController()
  const stageletReconciler = createStageletReconciler(deps)
  const stagelets = startControlLoop(deps, stageletReconciler)
  const { reconciler, delayOf } = withDelay(createProjectReconciler(deps), clock, projectPace)
  const projects = startControlLoop(deps, reconciler)
  const rollout = withDelay(createRolloutReconciler(deps), clock, rolloutPace)
  const rollouts = startControlLoop(deps, rollout.reconciler)
  const agents = startControlLoop(deps, createAgentReconciler(deps))
  const closer = startChangeSetCloser(deps)
  const reconcileProject = (key: string): void => projects.enqueueAfter(key, delayOf(key))
  const reportDelayOf = createReportPace(clock)
  const route = createRouter({
    stagelets,
    stageletReconciler,
    reconcileReported: (key) => {
      const ms = reportDelayOf(key)
      if (ms === 0) stagelets.enqueue(key)
      else stagelets.enqueueAfter(key, ms)
    },
    reconcileProject,
    rollOut: (key) => rollouts.enqueueAfter(key, rollout.delayOf(key)),
    scheduleChangeSets: () => closer.schedule(),
    reconcileAgent: (key) => agents.enqueue(key),
  })

  const readAll = async (): Promise<void> => {
    for (const kind of ['Stagelet', 'Project', 'Agent'])
      for (const object of (await store.list(kind)).items) route({ type: 'ADDED', object })
    // Secrets are reconciled with their projects.
    for (const ref of await store.namedProjects()) reconcileProject(keyOf(ref))
    closer.schedule()
  }

  const { signal } = stopping
  const running = [
    followStore(deps, signal, {
      readAll,
      onChanges: (changes) => changes.forEach(route),
    }),
    repeatUntil(signal, clock, {
      everyMs: compactEveryMs,
      work: () => store.compact(clock.now()),
      onFault: (error) => log.error({ err: error }, 'compaction failed'),
    }),
    repeatUntil(signal, clock, {
      everyMs: checkSetsEveryMs,
      work: () => tellOfChangedSets(deps),
      onFault: (error) => log.error({ err: error }, 'sets of secrets could not be checked'),
    }),
  ]
  return {
    stop: async () => {
      stopping.abort()
      await closer.stop()
      await Promise.all([
        stagelets.stop(),
        projects.stop(),
        rollouts.stop(),
        agents.stop(),
        ...running,
      ])
    },
  }
}

/** Reports sets that somebody has changed by SQL, before an agent asks for them: they are never delivered. */
const tellOfChangedSets = async ({
  store,
  log,
}: Pick<ReconcilerDeps, 'store' | 'log'>): Promise<void> => {
  for (const ref of await store.checkSets()) {
    const message = 'its secrets were changed in the database, not by Stagely: restore a backup'
    log.error({ project: `${ref.namespace}/${ref.name}` }, message)
    const regarding = await store.get(ref)
    if (regarding === undefined) continue
    const event = { regarding, type: 'Warning', reason: 'SetTampered', message } as const
    await store.write(reconcilerActor, {}, (tx) => tx.recordEvent(event))
  }
}

type Change = Pick<ChangeEvent, 'type' | 'object'> & Partial<Pick<ChangeEvent, 'previous'>>

/** False where only labels or the like of a secret or project have changed. */
const hasNewInputs = ({ type, object, previous }: Change): boolean =>
  type !== 'MODIFIED' || previous === undefined || !hasSameInputs(previous, object)

/** A change set closes within this time, however often it is written to. */
const closedByMs = 2_500

/**
 * Delay (ms) of the reconciliation of stagelets after a new revision. Their agents get the revision from the Project itself:
 * with many stagelets the bundles are sent first, and a stagelet whose agent reports meanwhile is reconciled then, and only
 * once.
 */
const reconcileAfterMs = (stagelets: number): number =>
  stagelets < 100 ? 0 : Math.min(stagelets * 4, 2_000)

export const createRouter = (to: {
  stagelets: ControlLoop
  stageletReconciler: Pick<StageletReconciler, 'isSettled' | 'forget'>
  /** Of a stagelet with a new report. */
  reconcileReported: (key: string) => void
  reconcileProject: (key: string) => void
  rollOut: (key: string) => void
  scheduleChangeSets: () => void
  reconcileAgent: (key: string) => void
}): ((change: Change) => void) => {
  const index = createStageletIndex()
  const {
    stagelets,
    stageletReconciler,
    reconcileReported,
    reconcileProject,
    rollOut,
    scheduleChangeSets,
    reconcileAgent,
  } = to
  const eachStageletOf = (owner: ObjectRef & { kind: 'Project' | 'Agent' }): void => {
    for (const key of index.stageletsOf(owner)) stagelets.enqueue(key)
  }

  const countIn = (project: string | undefined): number =>
    project === undefined ? 0 : index.countOf(project)

  const reconcileStageletsOf = (object: KubeObject, type: Change['type']): void => {
    const keys = index.stageletsOf({ ...refOf(object), kind: 'Project' })
    // In a staged rollout agents get the revision only by the reconciliation.
    const isStaged = object.spec?.['rollout'] !== undefined
    const ms = type === 'MODIFIED' && !isStaged ? reconcileAfterMs(keys.length) : 0
    for (const key of keys)
      if (ms === 0) stagelets.enqueue(key)
      else stagelets.enqueueAfter(key, ms)
  }

  /** After the restore of a backup, a Rotation holds revisions back until their credentials are tested. */
  const holdOf = (rotation: KubeObject | undefined): ProjectHold | undefined => {
    const project = rotation && index.projectOf(rotation)
    return project === undefined ? undefined : { project, ...holdIn(rotation!) }
  }

  return (change) => {
    const { type, object } = change
    const isNews = index.note(type, object)
    const ref = refOf(object)
    const { namespace, name } = ref
    const project = index.projectOf(object)
    switch (object.kind) {
      case 'Stagelet':
        if (type === 'DELETED') stageletReconciler.forget(keyOf(ref))
        // The close of the change set starts a run; this one runs where its event is lost.
        if (!isNews)
          stagelets.enqueueAfter(keyOf(ref), closedByMs + reconcileAfterMs(countIn(project)))
        else if (!stageletReconciler.isSettled(object)) stagelets.enqueue(keyOf(ref))
        if (project !== undefined) reconcileProject(project)
        if (project !== undefined) rollOut(project)
        return
      case 'Observation':
        reconcileReported(keyOf({ kind: 'Stagelet', namespace, name }))
        return
      case 'Project':
        rollOut(keyOf(ref))
        // Most writes of a project only change the counts of its stagelets.
        if (!isNews) return
        reconcileStageletsOf(object, type)
        reconcileProject(keyOf(ref))
        return
      case 'Agent':
        if (!isNews) return
        reconcileAgent(keyOf(ref))
        eachStageletOf({ kind: 'Agent', namespace, name })
        for (const key of index.projectsOn(ref)) rollOut(key)
        return
      case 'StagelySecret':
        scheduleChangeSets()
        if (project !== undefined && hasNewInputs(change)) reconcileProject(project)
        return
      case 'Rotation': {
        const isGone = type === 'DELETED'
        const before = holdOf(isGone ? object : change.previous)
        for (const key of heldOtherwise(before, isGone ? undefined : holdOf(object)))
          eachStageletOf({ ...refFromKey(key), kind: 'Project' })
      }
    }
  }
}
