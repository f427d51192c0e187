// Joins the change feed to the reconcilers: a first look at everything, then each change.
import type { Clock } from '../../src/kernel/clock.ts'
import { isAbort, isReason } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { keyOf, refOf, type KubeObject } from '../../src/resources/meta.ts'
import {
  startControlLoop,
  type ControlLoop,
  type LoopObserver,
} from '../../src/runtime/control-loop.ts'
import type { Store } from '../../src/store/store.ts'
import { startChangeSetCloser } from './change-sets.ts'
import { createInterest } from './interest.ts'
import { paced } from './pacing.ts'
import { createProjectReconciler } from './project/reconciler.ts'
import { createStageletReconciler } from './stagelet/reconciler.ts'

export interface ReconcilerDeps extends LoopObserver {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}

export interface Reconcilers {
  stop(): Promise<void>
}

/**
 * Secrets' statuses follow their stagelets a moment later, once for a burst of changes. A project of
 * thousands of secrets takes long to judge, so that under a stream of writes it is done less often.
 */
const projectPace = { leastMs: 50, rest: 9, mostMs: 2_000 }
const compactEveryMs = 60_000

export const startReconcilers = (deps: ReconcilerDeps): Reconcilers => {
  const { store, clock, log } = deps
  const stopping = new AbortController()
  const stagelets = startControlLoop(deps, createStageletReconciler(deps))
  const { reconciler, delayOf } = paced(createProjectReconciler(deps), clock, projectPace)
  const projects = startControlLoop(deps, reconciler)
  const closer = startChangeSetCloser(deps)
  const route = createRouter({
    stagelets,
    judgeProject: (key) => {
      projects.enqueueAfter(key, delayOf(key))
    },
    poke: () => {
      closer.poke()
    },
  })

  const follow = async (): Promise<void> => {
    for (const kind of ['Stagelet', 'Project', 'Agent', 'StagelySecret']) {
      for (const object of (await store.list(kind)).items) route('ADDED', object)
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        // The version is read first: what changes during the lists comes again from the feed.
        const version = await store.currentVersion()
        await follow()
        for await (const changes of store.watch(version, stopping.signal)) {
          for (const change of changes) route(change.type, change.object)
        }
      } catch (error) {
        if (isAbort(error) || stopping.signal.aborted) return
        if (!isReason(error, 'Expired'))
          log.error({ err: error }, 'the change feed broke; reading everything again')
        await clock.sleep(1000, stopping.signal).catch(() => undefined)
      }
    }
  }

  const compact = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(compactEveryMs, stopping.signal).catch(() => undefined)
      if (stopping.signal.aborted) return
      await store.compact(clock.now()).catch((error: unknown) => {
        log.error({ err: error }, 'compaction failed')
      })
    }
  }

  const running = [run(), compact()]
  return {
    stop: async () => {
      stopping.abort()
      await closer.stop()
      await Promise.all([stagelets.stop(), projects.stop(), ...running])
    },
  }
}

const createRouter = (to: {
  stagelets: ControlLoop
  judgeProject: (key: string) => void
  poke: () => void
}): ((type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void) => {
  const interest = createInterest()
  const { stagelets, judgeProject, poke } = to
  const projectLater = (object: KubeObject): void => {
    const key = interest.projectOf(object)
    if (key !== undefined) judgeProject(key)
  }

  return (type, object) => {
    interest.note(type, object)
    const { namespace, name } = refOf(object)
    switch (object.kind) {
      case 'Stagelet':
        stagelets.enqueue(keyOf(refOf(object)))
        projectLater(object)
        return
      case 'Observation':
        stagelets.enqueue(keyOf({ kind: 'Stagelet', namespace, name }))
        return
      case 'Project':
      case 'Agent':
        for (const key of interest.stageletsOf({ kind: object.kind, namespace, name }))
          stagelets.enqueue(key)
        if (object.kind === 'Project') judgeProject(keyOf(refOf(object)))
        return
      case 'StagelySecret':
        poke()
        projectLater(object)
    }
  }
}
