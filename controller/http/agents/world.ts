// A mirror of Stagelets, Projects, Agents and Rotations, from which agents' desired states are made: one list and one
// watch for the whole process.
//
// INVARIANTS
// - A mirrored object is never replaced by an older one.
// - After any fault (feed expired, database away) the mirror is listed anew, and everything that
//   differs is announced as if the watch had told of it.
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { linkedAbort } from '../../../src/kernel/linked-abort.ts'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import type { AgentStatus } from '../../../src/resources/agent.ts'
import { sameJson } from '../../../src/store/canonical.ts'
import {
  heldOtherwise,
  holdIn,
  type Hold,
  type ProjectHold,
} from '../../../src/rollout/restored.ts'
import { followStore } from '../../follow-store.ts'
import { agentKeyOf, type AgentRoutesDeps } from './deps.ts'
import {
  projectKeyOf,
  projectViewOf,
  viewOf,
  type ProjectView,
  type StageletView,
} from './world-views.ts'

export interface AgentView {
  readonly uid: string
  readonly paused: boolean
  readonly drained: boolean
  readonly ready: Condition | undefined
  /** Value of the annotation that asks for new keys, until the agent has followed. */
  readonly rotate: string | undefined
  /** Fingerprint of its keys. */
  readonly keys: string | undefined
  readonly version: number
}

export interface WorldListener {
  /** The stagelet has changed, or has come to or left this agent. */
  stageletChanged(agentKey: string, uid: string): void
  /** `view` is undefined when the Agent object is gone. */
  agentChanged(agentKey: string, view: AgentView | undefined): void
}

export interface World {
  stageletsOf(agentKey: string): StageletView[]
  stagelet(uid: string): StageletView | undefined
  project(projectKey: string): ProjectView | undefined
  /** Of the Rotations that hold the project back. Another array after each change. */
  holdsOn(projectKey: string): readonly Hold[]
  agent(agentKey: string): AgentView | undefined
  agents(): Iterable<[string, AgentView]>
  stagelets(): Iterable<StageletView>
  readonly agentCount: number
  /** Resolves when the mirror shows all that is in the store now, or after 2 s. */
  caughtUp(): Promise<void>
  /** Resolves once the first list is in. */
  readonly ready: Promise<void>
  stop(): Promise<void>
}

const catchUpMs = 2_000
const noHolds: readonly Hold[] = []

/** Rotations first: they hold others back. */
const watched = ['Rotation', 'Project', 'Agent', 'Stagelet'] as const

export const createWorld = (
  { store, clock, log }: AgentRoutesDeps,
  listener: WorldListener,
): World => {
  const mirror = new Mirror(listener)
  const ending = new AbortController()
  /** Newest version that the mirror shows. */
  let seen = 0
  const awaited = new Set<() => void>()
  let isReady: () => void
  const ready = new Promise<void>((resolve) => (isReady = resolve))

  const reach = (version: number): void => {
    seen = version
    for (const look of awaited) look()
  }
  let turns = 0
  const running = followStore({ store, clock, log }, ending.signal, {
    look: async (version) => {
      for (const kind of watched) mirror.replaceKind(kind, (await store.list(kind)).items)
      reach(version)
      isReady()
    },
    onChanges: async (events) => {
      for (const { type, object, resourceVersion } of events) {
        if (type === 'DELETED') mirror.drop(object, resourceVersion)
        else mirror.put(object)
        if (++turns % 200 === 0) await yieldToOthers()
      }
      reach(events.at(-1)?.resourceVersion ?? seen)
    },
  })

  return {
    stageletsOf: (agentKey) => mirror.stageletsOf(agentKey),
    stagelet: (uid) => mirror.stagelets.get(uid),
    project: (projectKey) => mirror.projects.get(projectKey),
    holdsOn: (projectKey) => mirror.holdsOn(projectKey),
    agent: (agentKey) => mirror.agents.get(agentKey),
    agents: () => mirror.agents.entries(),
    stagelets: () => mirror.stagelets.values(),
    get agentCount() {
      return mirror.agents.size
    },
    ready,
    caughtUp: async () => {
      const wanted = await store.currentVersion()
      if (seen >= wanted) return
      const late = linkedAbort(ending.signal, AbortSignal.timeout(catchUpMs))
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (seen < wanted && !late.signal.aborted) return
          awaited.delete(look)
          resolve()
        }
        awaited.add(look)
        late.signal.addEventListener('abort', look, { once: true })
        if (late.signal.aborted) look()
      })
      late.abort()
    },
    stop: async () => {
      ending.abort()
      await running
    },
  }
}

class Mirror {
  readonly stagelets = new Map<string, StageletView>()
  readonly projects = new Map<string, ProjectView>()
  readonly agents = new Map<string, AgentView>()
  readonly #rotations = new Map<string, ProjectHold & { readonly version: number }>()
  /** Only projects that are held back. */
  readonly #holds = new Map<string, readonly Hold[]>()
  readonly #byAgent = new Map<string, Set<string>>()
  readonly #listener: WorldListener

  constructor(listener: WorldListener) {
    this.#listener = listener
  }

  stageletsOf(agentKey: string): StageletView[] {
    const uids = this.#byAgent.get(agentKey) ?? []
    return [...uids].map((uid) => this.stagelets.get(uid)!)
  }

  holdsOn(projectKey: string): readonly Hold[] {
    return this.#holds.get(projectKey) ?? noHolds
  }

  replaceKind(kind: string, items: readonly KubeObject[]): void {
    const known = new Set(items.map(kind === 'Stagelet' ? uidOf : nameKey))
    for (const item of items) this.put(item)
    if (kind === 'Stagelet') {
      for (const uid of this.stagelets.keys()) if (!known.has(uid)) this.#dropStagelet(uid)
    } else if (kind === 'Project') {
      for (const key of this.projects.keys()) if (!known.has(key)) this.projects.delete(key)
    } else if (kind === 'Rotation') {
      for (const key of this.#rotations.keys()) if (!known.has(key)) this.#dropRotation(key)
    } else {
      for (const key of this.agents.keys()) if (!known.has(key)) this.#dropAgent(key)
    }
  }

  put(object: KubeObject): void {
    const version = Number(object.metadata.resourceVersion ?? 0)
    if (object.kind === 'Stagelet') this.#putStagelet(viewOf(object, version))
    else if (object.kind === 'Project')
      this.#putProject(nameKey(object), projectViewOf(object, version))
    else if (object.kind === 'Agent') this.#putAgent(object, version)
    else if (object.kind === 'Rotation') this.#putRotation(object, version)
  }

  drop(object: KubeObject, version: number): void {
    const key = nameKey(object)
    if (object.kind === 'Stagelet') {
      this.#dropStagelet(uidOf(object))
    } else if (object.kind === 'Project') {
      if ((this.projects.get(key)?.version ?? Infinity) < version) this.projects.delete(key)
    } else if (object.kind === 'Agent') {
      if ((this.agents.get(key)?.version ?? Infinity) < version) this.#dropAgent(key)
    } else if (object.kind === 'Rotation') {
      if ((this.#rotations.get(key)?.version ?? Infinity) < version) this.#dropRotation(key)
    }
  }

  #putStagelet(view: StageletView): void {
    const old = this.stagelets.get(view.uid)
    if (old !== undefined && old.version >= view.version) return
    this.stagelets.set(view.uid, view)
    if (old?.agentKey !== view.agentKey) {
      if (old !== undefined) this.#unlink(old)
      const uids = this.#byAgent.get(view.agentKey) ?? new Set()
      this.#byAgent.set(view.agentKey, uids.add(view.uid))
    }
    this.#listener.stageletChanged(view.agentKey, view.uid)
  }

  #dropStagelet(uid: string): void {
    const old = this.stagelets.get(uid)
    if (old === undefined) return
    this.stagelets.delete(uid)
    this.#unlink(old)
  }

  #unlink(old: StageletView): void {
    const uids = this.#byAgent.get(old.agentKey)
    uids?.delete(old.uid)
    if (uids?.size === 0) this.#byAgent.delete(old.agentKey)
    this.#listener.stageletChanged(old.agentKey, old.uid)
  }

  #putProject(key: string, view: ProjectView): void {
    const old = this.projects.get(key)
    if (old !== undefined && old.version >= view.version) return
    this.projects.set(key, view)
    if (old !== undefined && sameJson({ ...old, version: 0 }, { ...view, version: 0 })) return
    this.#projectChanged(key)
  }

  #projectChanged(key: string): void {
    for (const s of this.stagelets.values()) {
      if (s.projectKey === key) this.#listener.stageletChanged(s.agentKey, s.uid)
    }
  }

  #putRotation(object: KubeObject, version: number): void {
    const key = nameKey(object)
    const old = this.#rotations.get(key)
    if (old !== undefined && old.version >= version) return
    const now = { project: projectKeyOf(object), ...holdIn(object), version }
    this.#rotations.set(key, now)
    this.#holdsOtherwise(old, now)
  }

  #holdsOtherwise(before: ProjectHold | undefined, now: ProjectHold | undefined): void {
    for (const key of heldOtherwise(before, now)) {
      const own = [...this.#rotations.values()].filter((one) => one.project === key && one.from > 0)
      if (own.length === 0) this.#holds.delete(key)
      else this.#holds.set(key, own)
      this.#projectChanged(key)
    }
  }

  #dropRotation(key: string): void {
    const old = this.#rotations.get(key)
    this.#rotations.delete(key)
    this.#holdsOtherwise(old, undefined)
  }

  #putAgent(object: KubeObject, version: number): void {
    const key = nameKey(object)
    const old = this.agents.get(key)
    if (old !== undefined && old.version >= version) return
    const conditions = object.status?.conditions as Condition[] | undefined
    const paused = object.spec?.['paused'] === true
    const drained = object.spec?.['drained'] === true
    const ready = findCondition(conditions, 'Ready')
    const status = object.status as AgentStatus | undefined
    const asked = object.metadata.annotations?.[annotations.rotateKeys]
    const rotate = asked === status?.keyRotation ? undefined : asked
    const keys = status?.keyFingerprint
    const uid = uidOf(object)
    this.agents.set(key, { uid, paused, drained, ready, rotate, keys, version })
    this.#agentChanged(key, old?.paused !== paused || old.drained !== drained)
  }

  #dropAgent(key: string): void {
    this.agents.delete(key)
    this.#agentChanged(key, false)
  }

  #agentChanged(key: string, specChanged: boolean): void {
    this.#listener.agentChanged(key, this.agents.get(key))
    if (!specChanged) return
    for (const uid of this.#byAgent.get(key) ?? []) this.#listener.stageletChanged(key, uid)
  }
}

const uidOf = (object: KubeObject): string => object.metadata.uid ?? ''
const nameKey = ({ metadata }: KubeObject): string =>
  agentKeyOf(metadata.namespace ?? '', metadata.name)
