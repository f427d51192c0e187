// From the mirror to what goes over the wire: the desired item of a stagelet, and its bundle.
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Bundle, DesiredStagelet } from '../../../src/protocol/messages.ts'
import type { OpenedEntry, Store } from '../../../src/store/store.ts'
import type { StageletView, World } from './world.ts'

/**
 * Without a project nothing can be judged: the item is paused then, so that the agent keeps what
 * runs instead of taking the secrets away.
 */
export const renderItem = (
  view: StageletView,
  project: { uid: string; epoch: number } | undefined,
  agentPaused: boolean,
): DesiredStagelet => ({
  uid: view.uid,
  namespace: view.namespace,
  name: view.name,
  generation: view.generation,
  projectUid: project?.uid ?? '',
  epoch: project?.epoch ?? 0,
  order: view.version,
  revision: project === undefined ? 0 : (view.wantedRevision ?? 0),
  ...(project === undefined || view.healthyRevision === undefined
    ? {}
    : { healthyRevision: view.healthyRevision }),
  compose: view.compose,
  paused: view.paused || agentPaused || project === undefined,
  redeploy: view.redeploy,
  retry: view.retry,
  ...(view.release === undefined ? {} : { release: view.release }),
  ...(view.release === 'Down' && view.releaseVolumes ? { releaseVolumes: true } : {}),
})

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
  return async (uid, agentKey) => {
    const first = mine(uid, agentKey)
    if (first === undefined) return undefined
    const projectUid = world.projectUid(first.projectKey)
    const project =
      projectUid === undefined ? undefined : { uid: projectUid, epoch: await epochOf(projectUid) }
    // Read again: only the newest revision is worth sealing.
    const view = mine(uid, agentKey)
    if (view === undefined) return undefined
    return renderItem(view, project, world.agent(agentKey)?.paused === true)
  }
}
