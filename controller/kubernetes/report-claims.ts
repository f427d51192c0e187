// Reports that another controller has claimed a namespace, while that lasts: by a log line, an Event at
// its Lease, the condition ClusterFollowed of the team of that name, and a metric.
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { isReason } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { statusConditions, findCondition } from '../../src/resources/conditions.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { ensureTeam } from '../sources/apply-object.ts'
import { leaseName, type NamespaceClaimDeps, type Lease } from './claims.ts'
import { collectionPath } from './paths.ts'

const conditionType = 'ClusterFollowed'
/** Length limit of text from a Lease, which anybody with write access may have filled. */
const maxHolderChars = 100

interface ReportDeps extends Pick<NamespaceClaimDeps, 'client' | 'controllerId'> {
  readonly store: Store
  readonly actor: Actor
  readonly clock: Clock
  readonly log: Logger
  /** Called with the number of namespaces that another controller has claimed. */
  readonly onClaimed: (count: number) => void
}

export const createClaimReporter = (deps: ReportDeps): NamespaceClaimDeps['onChange'] => {
  const { log, controllerId, onClaimed } = deps
  const others = new Set<string>()
  // Forgets the count of an earlier term.
  onClaimed(others.size)
  return async (namespace, lease) => {
    const message =
      lease === undefined
        ? 'this controller follows the namespace of the cluster'
        : `the namespace "${namespace}" of the cluster is claimed by the controller ${(lease.spec?.holderIdentity ?? '').slice(0, maxHolderChars)}, of another database; this one (${controllerId}) writes nothing there, and takes nothing from there. Give each controller its own namespaces (--kubernetes-namespace). When the other one is gone for good: kubectl --namespace ${namespace} delete lease ${leaseName}`
    if (lease === undefined) others.delete(namespace)
    else others.add(namespace)
    onClaimed(others.size)
    if (lease === undefined) log.info({ namespace, controller: controllerId }, message)
    else {
      log.error({ namespace }, message)
      await reportToCluster(deps, { namespace, lease, message })
    }
    await sayInTeam(deps, namespace, { claimed: lease !== undefined, message })
  }
}

/** Only its owner may write a Lease; an Event about it may be written. */
const reportToCluster = async (
  { client, clock, controllerId }: ReportDeps,
  given: { namespace: string; lease: Lease; message: string },
): Promise<void> => {
  const { namespace, lease, message } = given
  const { uid } = lease.metadata
  const now = toTimestamp(clock.now())
  const post = client.post(collectionPath('Event', namespace), {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${leaseName}.${controllerId}`, namespace },
    involvedObject: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace,
      name: leaseName,
      ...defined({ uid }),
    },
    type: 'Warning',
    reason: 'ClaimedByAnother',
    message: message.slice(0, 1_000),
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component: 'stagely' },
    reportingComponent: 'stagely',
    reportingInstance: controllerId,
  })
  await post.catch((error: unknown) => {
    // The cluster still has the Event of the last time.
    if (!isReason(error, 'AlreadyExists') && !isReason(error, 'Conflict')) throw error
  })
}

const sayInTeam = async (
  { store, actor }: ReportDeps,
  name: string,
  { claimed, message }: { claimed: boolean; message: string },
): Promise<void> => {
  const ref = { kind: 'Namespace', namespace: '', name }
  const team = await store.get(ref)
  const conditions = team && statusConditions(team)
  if (!claimed && findCondition(conditions, conditionType)?.status !== 'False') return
  await store.write(actor, {}, async (tx) => {
    await ensureTeam(tx, name)
    const condition = claimed
      ? { status: 'False' as const, reason: 'ClaimedByAnother', message }
      : { status: 'True' as const, reason: 'Followed', message }
    await tx.setConditions(ref, [{ type: conditionType, ...condition }])
  })
}
