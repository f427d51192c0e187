// Makes the messages to an agent about one stagelet: its desired state (the item), from the cache, and the bundle of its
// secrets.
import type { Clock } from '../../../../src/kernel/clock.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import type { Bundle, DesiredStagelet } from '../../../../src/protocol/messages.ts'
import { firstDelivered, fromFor, type Hold } from '../../../../src/rollout/restored.ts'
import { decideRevision, newestOf } from '../../../../src/rollout/revision.ts'
import { isForStagelet } from '../../../../src/secrets/place.ts'
import type { Seen } from '../../../../src/secrets/set-entry.ts'
import type { OpenedEntry, ProjectRevisions, Store } from '../../../../src/store/store.ts'
import type { AgentView, ObjectCache } from '../objects/object-cache.ts'
import type { ProjectView, StageletView } from '../objects/views.ts'

interface Delivered {
  readonly epoch: number
  /** No earlier revision is delivered: its credentials may be dead (ADR 0069). */
  readonly from: number
}

/** The facts for a desired item. */
export interface ItemInput {
  readonly view: StageletView
  readonly project: (ProjectView & Delivered) | undefined
  readonly agent: AgentView | undefined
}

/**
 * The revision is decided from the cache as soon as it closes. The stagelet's reconciler decides the same from all facts,
 * but one stagelet after the other: with thousands of stagelets their agents would wait long.
 */
const revisionFor = ({ view, project, agent }: ItemInput): number => {
  const { name, wantedRevision: ordered, quarantine } = view
  const decided = decideRevision({
    stagelet: name,
    newest: newestOf(project?.revision, ordered),
    ordered,
    isStaged: project?.isStaged === true,
    drained: agent?.drained !== false,
    mustWait: project === undefined || ordered === undefined,
    quarantine,
  })
  return decided.revision ?? 0
}

/** The version of the newest fact in the item. By it an agent knows an older item, from a replica that is behind. */
const orderOf = (input: ItemInput): number => {
  const { view, project } = input
  const isAhead = project !== undefined && revisionFor(input) > (view.wantedRevision ?? 0)
  return isAhead ? Math.max(view.version, project.version) : view.version
}

/** Revisions to go back to, should this one fail. */
const toGoBackTo = (
  { healthyRevision }: StageletView,
  revision: number,
  from: number,
): Pick<DesiredStagelet, 'healthyRevision' | 'previousRevision'> => {
  if (healthyRevision === undefined || healthyRevision < from) return {}
  const previousRevision = revision - 1
  return previousRevision > healthyRevision
    ? { healthyRevision, previousRevision }
    : { healthyRevision }
}

/**
 * Without a project no revision can be decided: the item is paused, so that the agent keeps its containers and their
 * secrets. The same holds while the revision may have a revoked credential. A running agent takes no item with epoch 0 in
 * place of the one that it has.
 */
export const renderItem = (input: ItemInput): DesiredStagelet => {
  const { view, project, agent } = input
  const { from = 0 } = project ?? {}
  if (from > 0 && revisionFor(input) < from && view.release === undefined)
    return renderItem({ ...input, project: undefined })
  const revision = project === undefined ? 0 : revisionFor(input)
  return {
    uid: view.uid,
    namespace: view.namespace,
    name: view.name,
    generation: view.generation,
    projectUid: project?.uid ?? '',
    epoch: project?.epoch ?? 0,
    order: orderOf(input),
    revision,
    ...(project !== undefined && toGoBackTo(view, revision, from)),
    compose: view.compose,
    paused: view.paused || agent?.paused === true || project === undefined,
    redeploy: view.redeploy,
    retry: view.retry,
    ...defined({ release: view.release }),
    ...(view.release === 'Down' && view.releaseVolumes && { releaseVolumes: true }),
  }
}

/** The entries that this stagelet may see, ready to be sealed. */
export const renderBundle = (opened: readonly Seen<OpenedEntry>[], stagelet: string): Bundle => ({
  entries: opened
    .filter((e) => isForStagelet(e, stagelet))
    .map((e) => ({
      secretId: e.secretId,
      name: e.name,
      version: e.version,
      key: e.key,
      scope: e.scope,
      type: e.type,
      ...defined({ stagelet: e.stagelet, file: e.file, plain: e.plain }),
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
export const createItemReader = (objects: ObjectCache, store: Store, clock: Clock): ItemReader => {
  // A change wakes all agents of a project: they share one read of its revisions.
  const reads = new Map<string, RevisionsRead>()
  /** The revisions are read after the holds: a hold names a revision that exists by then. */
  const revisionsOf = (uid: string, holds: readonly Hold[]): Promise<ProjectRevisions> => {
    const cachedRead = reads.get(uid)
    if (cachedRead?.holds === holds && cachedRead.until > clock.now()) return cachedRead.revisions
    const revisions = store.revisionsOf(uid)
    const now = clock.now()
    for (const [project, { until }] of reads) if (until <= now) reads.delete(project)
    reads.set(uid, { holds, until: now + revisionsLifeMs, revisions })
    revisions.catch(() => reads.delete(uid))
    return revisions
  }
  const mine = (uid: string, agentKey: string): StageletView | undefined => {
    const view = objects.stagelet(uid)
    if (view?.agentKey !== agentKey) return undefined
    // A stack must not start before its first revision is decided: it would be re-created a moment later.
    return view.wantedRevision === undefined && view.release === undefined ? undefined : view
  }
  /** A project that was created again counts once the stagelet's revision is decided for it: until then the agent keeps its containers. */
  const projectOf = ({ projectKey, project }: StageletView): ProjectView | undefined => {
    const found = objects.project(projectKey)
    const isDecided =
      project === undefined || (project.uid === found?.uid && project.since === found.since)
    return isDecided ? found : undefined
  }
  const read: ItemReader = async (uid, agentKey) => {
    const first = mine(uid, agentKey)
    if (first === undefined) return undefined
    const projectView = projectOf(first)
    const holds = objects.holdsOn(first.projectKey)
    const revisions = projectView && (await revisionsOf(projectView.uid, holds))
    // The stagelet may have changed meanwhile: only its newest revision is worth sealing.
    const view = mine(uid, agentKey)
    if (view === undefined) return undefined
    const now = projectOf(view)
    const isOther = now?.uid !== projectView?.uid || objects.holdsOn(view.projectKey) !== holds
    if (isOther) return read(uid, agentKey)
    const froms = holds.map((hold) => fromFor(hold, view.name))
    const project = now &&
      revisions && { ...now, epoch: revisions.epoch, from: firstDelivered(froms, revisions) }
    return renderItem({ view, project, agent: objects.agent(agentKey) })
  }
  return read
}
