// Reports of a revision that the agent was never sent. One that is held back from the stagelet would be let have it by its
// agent's word: so a drained machine would get new values, and another would not wait for its turn. One that is still to come
// would count once it is there.
import type { ReportedStagelet } from '../../../src/protocol/messages.ts'
import type { AgentRoutesDeps } from './deps.ts'
import type { ObjectCache } from './objects/object-cache.ts'
import type { StageletView } from './objects/views.ts'

interface Told {
  readonly view: StageletView
  readonly spec: Pick<ReportedStagelet, 'revision' | 'epoch'>
}

/** True where newer revisions are held back, or the stagelet may not start yet. */
const isHeldBack = (
  objects: ObjectCache,
  { agentKey, projectKey, wantedRevision }: StageletView,
): boolean =>
  wantedRevision === undefined ||
  objects.agent(agentKey)?.drained !== false ||
  objects.project(projectKey)?.isStaged === true

/** True where the agent was not sent the revision for the stagelet. */
const isUntold = async (
  { store }: Pick<AgentRoutesDeps, 'store'>,
  objects: ObjectCache,
  { view, spec: { revision, epoch } }: Told,
): Promise<boolean> => {
  const { agentKey, namespace, name, projectKey } = view
  const project = objects.project(projectKey)
  if (project === undefined) return false
  // After a restore an agent may have revisions that nobody knows here any more.
  if ((await store.revisionsOf(project.uid)).epoch !== epoch) return false
  const sent = await store.deliveries(namespace, project.uid, [name])
  return !sent.some((one) => one.agent === agentKey && one.revision === revision)
}

/** The report as it may count: at most with the newest revision that there is. Undefined where it is to be refused. */
export const asTold = async <T extends Told>(
  deps: Pick<AgentRoutesDeps, 'store'>,
  objects: ObjectCache,
  told: T,
): Promise<T | undefined> => {
  const { view, spec } = told
  const { wantedRevision = 0, projectKey } = view
  const isNewer = spec.revision > wantedRevision
  if (!isNewer) return told
  const isHeld = isHeldBack(objects, view)
  const newest = Math.max(wantedRevision, objects.project(projectKey)?.revision ?? 0)
  if (!isHeld && spec.revision <= newest) return told
  if (!(await isUntold(deps, objects, told))) return told
  return isHeld ? undefined : { ...told, spec: { ...spec, revision: newest } }
}
