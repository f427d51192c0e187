// A cache of Stagelets, Projects, Agents and Rotations, from which agents' desired states are made: one list and one
// watch for the whole process.
//
// INVARIANTS
// - A cached object is never replaced by an older one.
// - After any fault (feed expired, database away) the cache is listed anew, and everything that
//   differs is announced as if the watch had told of it.
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { linkedAbort } from '../../../../src/kernel/async/linked-abort.ts'
import type { Hold } from '../../../../src/rollout/restored.ts'
import { followStore } from '../../../follow-store.ts'
import type { AgentRoutesDeps } from '../deps.ts'
import { CachedObjects, type AgentView, type CacheListener } from './cached-objects.ts'
import type { ProjectView, StageletView } from './views.ts'

export type { AgentView } from './cached-objects.ts'

export interface ObjectCache {
  stageletsOf(agentKey: string): StageletView[]
  stagelet(uid: string): StageletView | undefined
  project(projectKey: string): ProjectView | undefined
  /** Of the Rotations that hold the project back. Another array after each change. */
  holdsOn(projectKey: string): readonly Hold[]
  agent(agentKey: string): AgentView | undefined
  agents(): Iterable<[string, AgentView]>
  stagelets(): Iterable<StageletView>
  readonly agentCount: number
  /** Resolves when the cache shows all that is in the store now, or after 2 s. */
  caughtUp(): Promise<void>
  /** Resolves once the first list is in. */
  readonly ready: Promise<void>
  stop(): Promise<void>
}

const catchUpMs = 2_000

/** Rotations first: they hold others back. */
const watched = ['Rotation', 'Project', 'Agent', 'Stagelet'] as const

export const createObjectCache = (
  { store, clock, log }: AgentRoutesDeps,
  listener: CacheListener,
): ObjectCache => {
  const cached = new CachedObjects(listener)
  const ending = new AbortController()
  /** Newest version that the cache shows. */
  let shownVersion = 0
  const awaited = new Set<() => void>()
  let isReady: () => void
  const ready = new Promise<void>((resolve) => (isReady = resolve))

  const reach = (version: number): void => {
    shownVersion = version
    for (const check of awaited) check()
  }
  let changes = 0
  const running = followStore({ store, clock, log }, ending.signal, {
    readAll: async (version) => {
      for (const kind of watched) cached.replaceKind(kind, (await store.list(kind)).items)
      reach(version)
      isReady()
    },
    onChanges: async (events) => {
      for (const { type, object, resourceVersion } of events) {
        if (type === 'DELETED') cached.drop(object, resourceVersion)
        else cached.put(object)
        if (++changes % 200 === 0) await yieldToOthers()
      }
      reach(events.at(-1)?.resourceVersion ?? shownVersion)
    },
  })

  return {
    stageletsOf: (agentKey) => cached.stageletsOf(agentKey),
    stagelet: (uid) => cached.stagelets.get(uid),
    project: (projectKey) => cached.projects.get(projectKey),
    holdsOn: (projectKey) => cached.holdsOn(projectKey),
    agent: (agentKey) => cached.agents.get(agentKey),
    agents: () => cached.agents.entries(),
    stagelets: () => cached.stagelets.values(),
    get agentCount() {
      return cached.agents.size
    },
    ready,
    caughtUp: async () => {
      const wanted = await store.currentVersion()
      if (shownVersion >= wanted) return
      const late = linkedAbort(ending.signal, AbortSignal.timeout(catchUpMs))
      await new Promise<void>((resolve) => {
        const check = (): void => {
          if (shownVersion < wanted && !late.signal.aborted) return
          awaited.delete(check)
          resolve()
        }
        awaited.add(check)
        late.signal.addEventListener('abort', check, { once: true })
        if (late.signal.aborted) check()
      })
      late.abort()
    },
    stop: async () => {
      ending.abort()
      await running
    },
  }
}
