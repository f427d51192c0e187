// The cache of Stagelets, Projects, Agents and Rotations in memory. A listener hears of each change that matters to agents.
import { annotations, type KubeObject } from '../../../../src/resources/meta.ts'
import { findCondition, type Condition } from '../../../../src/resources/conditions.ts'
import { ofKind } from '../../../../src/kinds/typed.ts'
import { sameJson } from '../../../../src/kernel/same-json.ts'
import {
  heldOtherwise,
  holdIn,
  type Hold,
  type ProjectHold,
} from '../../../../src/rollout/restored.ts'
import {
  namespacedKeyOf,
  projectKeyNamedBy,
  projectViewOf,
  viewOf,
  type ProjectView,
  type StageletView,
} from './views.ts'

export interface AgentView {
  readonly uid: string
  readonly paused: boolean
  readonly drained: boolean
  readonly ready: Condition | undefined
  /** Why the agent is refused, since it was last connected. */
  readonly refused: Condition | undefined
  /** Value of the annotation that asks for new keys, until the agent has followed. */
  readonly rotate: string | undefined
  /** Fingerprint of its keys. */
  readonly keys: string | undefined
  readonly version: number
}

export interface CacheListener {
  /** The stagelet has changed, or has come to or left this agent. */
  stageletChanged(agentKey: string, uid: string): void
  /** `view` is undefined when the Agent object is gone. */
  agentChanged(agentKey: string, view: AgentView | undefined): void
}

const noHolds: readonly Hold[] = []

export class CachedObjects {
  readonly stagelets = new Map<string, StageletView>()
  readonly projects = new Map<string, ProjectView>()
  readonly agents = new Map<string, AgentView>()
  readonly #rotations = new Map<string, ProjectHold & { readonly version: number }>()
  /** By project, the holds of its Rotations. Projects without a hold are missing. */
  readonly #holds = new Map<string, readonly Hold[]>()
  readonly #byAgent = new Map<string, Set<string>>()
  readonly #byProject = new Map<string, Set<string>>()
  readonly #listener: CacheListener

  constructor(listener: CacheListener) {
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
    const keys = new Set(items.map(kind === 'Stagelet' ? uidOf : namespacedKeyOf))
    for (const item of items) this.put(item)
    if (kind === 'Stagelet') {
      for (const uid of this.stagelets.keys()) if (!keys.has(uid)) this.#dropStagelet(uid)
    } else if (kind === 'Project') {
      for (const key of this.projects.keys()) if (!keys.has(key)) this.projects.delete(key)
    } else if (kind === 'Rotation') {
      for (const key of this.#rotations.keys()) if (!keys.has(key)) this.#dropRotation(key)
    } else {
      for (const key of this.agents.keys()) if (!keys.has(key)) this.#dropAgent(key)
    }
  }

  put(object: KubeObject): void {
    const version = Number(object.metadata.resourceVersion ?? 0)
    if (object.kind === 'Stagelet') this.#putStagelet(viewOf(object, version))
    else if (object.kind === 'Project')
      this.#putProject(namespacedKeyOf(object), projectViewOf(object, version))
    else if (object.kind === 'Agent') this.#putAgent(object, version)
    else if (object.kind === 'Rotation') this.#putRotation(object, version)
  }

  drop(object: KubeObject, version: number): void {
    const key = namespacedKeyOf(object)
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
    if (old?.agentKey !== view.agentKey || old.projectKey !== view.projectKey) {
      if (old !== undefined) this.#unlink(old)
      for (const [index, key] of this.#indexesOf(view))
        index.set(key, (index.get(key) ?? new Set()).add(view.uid))
    } else if (isSameForAgent(old, view)) return
    this.#listener.stageletChanged(view.agentKey, view.uid)
  }

  #indexesOf(view: StageletView): readonly (readonly [Map<string, Set<string>>, string])[] {
    return [
      [this.#byAgent, view.agentKey],
      [this.#byProject, view.projectKey],
    ]
  }

  #dropStagelet(uid: string): void {
    const old = this.stagelets.get(uid)
    if (old === undefined) return
    this.stagelets.delete(uid)
    this.#unlink(old)
  }

  #unlink(old: StageletView): void {
    for (const [index, key] of this.#indexesOf(old)) {
      const uids = index.get(key)
      uids?.delete(old.uid)
      if (uids?.size === 0) index.delete(key)
    }
    this.#listener.stageletChanged(old.agentKey, old.uid)
  }

  #putProject(key: string, view: ProjectView): void {
    const old = this.projects.get(key)
    if (old !== undefined && old.version >= view.version) return
    this.projects.set(key, view)
    if (old !== undefined && sameJson(old, view, ['version'])) return
    this.#projectChanged(key)
  }

  #projectChanged(key: string): void {
    for (const uid of this.#byProject.get(key) ?? [])
      this.#listener.stageletChanged(this.stagelets.get(uid)!.agentKey, uid)
  }

  #putRotation(object: KubeObject, version: number): void {
    const key = namespacedKeyOf(object)
    const old = this.#rotations.get(key)
    if (old !== undefined && old.version >= version) return
    const now = { project: projectKeyNamedBy(object), ...holdIn(object), version }
    this.#rotations.set(key, now)
    this.#holdsOtherwise(old, now)
  }

  #holdsOtherwise(before: ProjectHold | undefined, now: ProjectHold | undefined): void {
    for (const key of heldOtherwise(before, now)) {
      const own = [...this.#rotations.values()].filter(
        (rotation) => rotation.project === key && rotation.from > 0,
      )
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
    const key = namespacedKeyOf(object)
    const old = this.agents.get(key)
    if (old !== undefined && old.version >= version) return
    const { spec, status } = ofKind('Agent', object)
    const paused = spec?.paused === true
    const drained = spec?.drained === true
    const ready = findCondition(status?.conditions, 'Ready')
    const refused = findCondition(status?.conditions, 'Refused')
    const asked = object.metadata.annotations?.[annotations.rotateKeys]
    const rotate = asked === status?.keyRotation ? undefined : asked
    const keys = status?.keyFingerprint
    const uid = uidOf(object)
    this.agents.set(key, { uid, paused, drained, ready, refused, rotate, keys, version })
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

/** True where the agent gets the same desired state from both: most writes of a status change only its conditions. */
const isSameForAgent = (old: StageletView, view: StageletView): boolean =>
  sameJson(old, view, ['version', 'conditions'])

const uidOf = (object: KubeObject): string => object.metadata.uid ?? ''
