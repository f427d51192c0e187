// Makes what is sent to an agent for one stagelet: the desired item, from the mirror, and the bundle of its secrets.
import type { Clock } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { Bundle, DesiredStagelet } from '../../../src/protocol/messages.ts'
import { firstDelivered, fromFor, type Hold } from '../../../src/rollout/restored.ts'
import { decideRevision, newestOf } from '../../../src/rollout/revision.ts'
import type { OpenedEntry, ProjectRevisions, Store } from '../../../src/store/store.ts'
import type { AgentView, World } from './world.ts'
import type { ProjectView, StageletView } from './world-views.ts'

interface Delivered {
  readonly epoch: number
  /** No earlier revision is delivered: its credentials may be dead (docs/adr/0069). */
  readonly from: number
}

/** What a desired item is made from. */
export interface ItemInput {
  readonly view: StageletView
  readonly project: (ProjectView & Delivered) | undefined
  readonly agent: AgentView | undefined
}

/**
 * Decided from the mirror as soon as a revision closes. The stagelet's reconciler decides the same from all facts,
 * but one stagelet after the other: with thousands of them agents would wait long for it.
 */
const revisionFor = ({ view, project, agent }: ItemInput): number => {
  const { name, wantedRevision: told, quarantine } = view
  const decided = decideRevision({
    stagelet: name,
    newest: newestOf(project?.revision, told),
    told,
    isStaged: project?.isStaged === true,
    drained: agent?.drained !== false,
    mustWait: project === undefined || told === undefined,
    quarantine,
  })
  return decided.revision ?? 0
}

/** The order number of the close where the reconciler has not run since: an item of a replica that is behind is older then. */
const orderOf = (input: ItemInput): number => {
  const { view, project } = input
  const isAhead = project !== undefined && revisionFor(input) > (view.wantedRevision ?? 0)
  return isAhead ? Math.max(view.version, project.version) : view.version
}

/**
 * Without a project no revision can be decided: the item is paused then, so that the agent keeps what runs and takes
 * no secrets away. So it is while the revision may hold a dead credential; its epoch of 0 is none that a running agent
 * takes in place of what it has.
 */
export const renderItem = (input: ItemInput): DesiredStagelet => {
  const { view, project, agent } = input
  const { from = 0 } = project ?? {}
  if (from > 0 && revisionFor(input) < from && view.release === undefined)
    return renderItem({ ...input, project: undefined })
  const { healthyRevision } = view
  return {
    uid: view.uid,
    namespace: view.namespace,
    name: view.name,
    generation: view.generation,
    projectUid: project?.uid ?? '',
    epoch: project?.epoch ?? 0,
    order: orderOf(input),
    revision: project === undefined ? 0 : revisionFor(input),
    ...(project === undefined || healthyRevision === undefined || healthyRevision < from
      ? {}
      : { healthyRevision }),
    compose: view.compose,
    paused: view.paused || agent?.paused === true || project === undefined,
    redeploy: view.redeploy,
    retry: view.retry,
    ...defined({ release: view.release }),
    ...(view.release === 'Down' && view.releaseVolumes ? { releaseVolumes: true } : {}),
  }
}

/** The entries that this stagelet may see, ready to be sealed. */
export const renderBundle = (opened: readonly OpenedEntry[], stagelet: string): Bundle => ({
  entries: opened
    .filter((e) => e.stagelet === undefined || e.stagelet === stagelet)
    .map((e) => ({
      secretId: e.secretId,
      name: e.name,
      version: e.version,
      key: e.key,
      scope: e.scope,
      type: e.type,
      ...defined({ stagelet: e.stagelet, file: e.file }),
      bytes: e.bytes,
      valueDigest: e.valueDigest,
      value: e.value.toString('base64'),
    })),
})

export type ItemReader = (uid: string, agentKey: string) => Promise<DesiredStagelet | undefined>

const revisionsLifeMs = 1_000

interface RevisionsRead {
  readonly holds: readonly Hold[]
  readonly until: number
  readonly revisions: Promise<ProjectRevisions>
}

/** Reads the present item of a stagelet; undefined where the stagelet is not this agent's, or may not start yet. */
export const createItemReader = (world: World, store: Store, clock: Clock): ItemReader => {
  // A change wakes all agents of a project: they share one read of its revisions.
  const reads = new Map<string, RevisionsRead>()
  /** Read after these holds were seen: a hold names a revision that was opened with it. */
  const revisionsOf = (uid: string, holds: readonly Hold[]): Promise<ProjectRevisions> => {
    const known = reads.get(uid)
    if (known?.holds === holds && known.until > clock.now()) return known.revisions
    const revisions = store.revisionsOf(uid)
    reads.set(uid, { holds, until: clock.now() + revisionsLifeMs, revisions })
    revisions.catch(() => reads.delete(uid))
    return revisions
  }
  const mine = (uid: string, agentKey: string): StageletView | undefined => {
    const view = world.stagelet(uid)
    if (view?.agentKey !== agentKey) return undefined
    // A stack that started without its secrets would be re-created a moment later.
    return view.wantedRevision === undefined && view.release === undefined ? undefined : view
  }
  /** A project that was made anew counts once the stagelet's revision was decided for it: until then the agent keeps what runs. */
  const projectOf = ({ projectKey, project }: StageletView): ProjectView | undefined => {
    const found = world.project(projectKey)
    const isJudged =
      project === undefined || (project.uid === found?.uid && project.since === found.since)
    return isJudged ? found : undefined
  }
  const read: ItemReader = async (uid, agentKey) => {
    const first = mine(uid, agentKey)
    if (first === undefined) return undefined
    const known = projectOf(first)
    const holds = world.holdsOn(first.projectKey)
    const revisions = known && (await revisionsOf(known.uid, holds))
    // The stagelet may have changed meanwhile: only its newest revision is worth sealing.
    const view = mine(uid, agentKey)
    if (view === undefined) return undefined
    const now = projectOf(view)
    const isOther = now?.uid !== known?.uid || world.holdsOn(view.projectKey) !== holds
    if (isOther) return read(uid, agentKey)
    const froms = holds.map((hold) => fromFor(hold, view.name))
    const project = now &&
      revisions && { ...now, epoch: revisions.epoch, from: firstDelivered(froms, revisions) }
    return renderItem({ view, project, agent: world.agent(agentKey) })
  }
  return read
}
