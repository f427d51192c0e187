// From the mirror to what goes over the wire: the desired item of a stagelet, and its bundle.
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Bundle, DesiredStagelet } from '../../../src/protocol/messages.ts'
import { decideRevision, newestOf } from '../../../src/rollout/revision.ts'
import type { OpenedEntry, Store } from '../../../src/store/store.ts'
import type { AgentView, World } from './world.ts'
import type { ProjectView, StageletView } from './world-views.ts'

/** What an item is made from. */
export interface ItemInput {
  readonly view: StageletView
  readonly project: (ProjectView & { epoch: number }) | undefined
  readonly agent: AgentView | undefined
}

/**
 * Decided with what the mirror knows, the moment that a revision closes. The stagelet's reconciler comes to the
 * same with all facts a moment later, which for thousands of stagelets is many moments.
 */
const revisionFor = ({ view, project, agent }: ItemInput): number => {
  const { name, wantedRevision: told, quarantine } = view
  const decided = decideRevision({
    stagelet: name,
    newest: newestOf(project?.revision, told),
    told,
    takesTurns: project?.takesTurns === true,
    drained: agent?.drained !== false,
    mustWait: project === undefined || told === undefined,
    quarantine,
  })
  return decided.revision ?? 0
}

/** A replica that has not seen the close yet must not take an agent back: the close is younger than the view. */
const orderOf = (input: ItemInput): number => {
  const { view, project } = input
  const isAhead = project !== undefined && revisionFor(input) > (view.wantedRevision ?? 0)
  return isAhead ? Math.max(view.version, project.version) : view.version
}

/**
 * Without a project nothing can be judged: the item is paused then, so that the agent keeps what
 * runs instead of taking the secrets away.
 */
export const renderItem = (input: ItemInput): DesiredStagelet => {
  const { view, project, agent } = input
  return {
    uid: view.uid,
    namespace: view.namespace,
    name: view.name,
    generation: view.generation,
    projectUid: project?.uid ?? '',
    epoch: project?.epoch ?? 0,
    order: orderOf(input),
    revision: project === undefined ? 0 : revisionFor(input),
    ...(project === undefined || view.healthyRevision === undefined
      ? {}
      : { healthyRevision: view.healthyRevision }),
    compose: view.compose,
    paused: view.paused || agent?.paused === true || project === undefined,
    redeploy: view.redeploy,
    retry: view.retry,
    ...(view.release === undefined ? {} : { release: view.release }),
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
      ...(e.stagelet === undefined ? {} : { stagelet: e.stagelet }),
      ...(e.file === undefined ? {} : { file: e.file }),
      bytes: e.bytes,
      valueDigest: e.valueDigest,
      value: e.value.toString('base64'),
    })),
})

export type ItemReader = (uid: string, agentKey: string) => Promise<DesiredStagelet | undefined>

const epochLifeMs = 1_000

/** Reads the item of a stagelet as it is now; undefined when it is not (or no longer) this agent's. */
export const createItemReader = (world: World, store: Store, clock: Clock): ItemReader => {
  // One change wakes every agent of a project; they share one look at its epoch.
  const epochs = new Map<string, { until: number; epoch: Promise<number> }>()
  const epochOf = (projectUid: string): Promise<number> => {
    const known = epochs.get(projectUid)
    if (known !== undefined && known.until > clock.now()) return known.epoch
    const epoch = store.revisionsOf(projectUid).then((r) => r.epoch)
    epochs.set(projectUid, { until: clock.now() + epochLifeMs, epoch })
    epoch.catch(() => epochs.delete(projectUid))
    return epoch
  }
  const mine = (uid: string, agentKey: string): StageletView | undefined => {
    const view = world.stagelet(uid)
    if (view?.agentKey !== agentKey) return undefined
    // A stack must not start without its secrets only to be re-created a moment later.
    return view.wantedRevision === undefined && view.release === undefined ? undefined : view
  }
  /** One that was made anew counts when the stagelet was judged by it: until then the agent keeps what runs. */
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
    const epoch = known === undefined ? 0 : await epochOf(known.uid)
    // Read again: only the newest revision is worth sealing.
    const view = mine(uid, agentKey)
    if (view === undefined) return undefined
    const now = projectOf(view)
    if (now?.uid !== known?.uid) return read(uid, agentKey)
    const project = now === undefined ? undefined : { ...now, epoch }
    return renderItem({ view, project, agent: world.agent(agentKey) })
  }
  return read
}
