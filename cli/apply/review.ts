// Asks the server what a set of objects would change. Stores nothing.
import type { KubeObject } from '../../src/resources/meta.ts'
import type { ManifestDocument } from '../../src/manifests/parse.ts'
import type {
  CascadedService,
  HeldStagelet,
  ReviewStatus,
  ServiceChange,
} from '../../src/manifests/review.ts'
import { keysText } from '../../src/secrets/key-change.ts'
import type { KubeApi } from '../connect/api.ts'
import { reviewByDryRun } from './cluster-review.ts'
import { Exit, NotStagely } from '../errors.ts'
import { note } from '../print.ts'
import { renderFault } from './read-manifests.ts'

export const reviewObjects = async (
  api: KubeApi,
  objects: readonly KubeObject[],
): Promise<ReviewStatus> => {
  const path = `/apis/stagely.dev/v1alpha1/namespaces/${encodeURIComponent(api.namespace)}/changesetreviews`
  const body = { apiVersion: 'stagely.dev/v1alpha1', kind: 'ChangeSetReview', spec: { objects } }
  try {
    const answer = (await api.call(path, { method: 'POST', body })) as { status: ReviewStatus }
    return answer.status
  } catch (error) {
    if (error instanceof NotStagely && error.status === 404) return reviewByDryRun(api, objects)
    throw error
  }
}

/**
 * The review of all documents. Prints every fault with its file and line, and ends with 1 if there is
 * one.
 */
export const reviewDocuments = async (
  api: KubeApi,
  documents: readonly ManifestDocument[],
): Promise<ReviewStatus> => {
  const status = await reviewObjects(
    api,
    documents.map((d) => d.object),
  )
  for (const fault of status.faults) {
    const document = documents[fault.index]
    const file = document?.file ?? 'server'
    note(
      renderFault({
        file,
        line: document?.lineOf(fault.field) ?? 0,
        field: fault.field,
        message: fault.message,
      }),
    )
  }
  if (status.faults.length > 0) throw new Exit(1)
  return status
}

const servicesText = (count: number): string => `${count} ${count === 1 ? 'service' : 'services'}`

/** The services that would get a new container, for people. `later`: of values that are to come. */
export const renderAffected = (
  {
    affected,
    cascaded = [],
    held = [],
    isReachUnknown = false,
  }: Pick<ReviewStatus, 'affected' | 'cascaded' | 'held' | 'isReachUnknown'>,
  later: readonly string[] = [],
): string[] => {
  if (isReachUnknown) return ['Which services would be re-created, only a controller knows.']
  const none = [`No running service would be re-created${later.length === 0 ? '' : ' at once'}.`]
  const some = [
    `${servicesText(affected.length)} would be re-created:`,
    ...affected.map(
      ({ namespace, stagelet, ...hit }) => `    ${namespace}/${stagelet}  ${hitText(hit)}`,
    ),
    ...renderCascaded(cascaded),
  ]
  return [...(affected.length === 0 ? none : some), ...held.flatMap(renderHeld), ...later]
}

const hitText = (change: ServiceChange): string =>
  `${change.service}${change.keys.length === 0 ? '' : `: ${keysText(change)}`}  (${change.reason})`

/** Nothing happens there now; what will is told apart. */
const renderHeld = ({ namespace, stagelet, message, since, services }: HeldStagelet): string[] => [
  `${namespace}/${stagelet} is not reached now: ${message}${since === undefined ? '' : ` (since ${since})`}.`,
  ...(services.length === 0
    ? []
    : [`${servicesText(services.length)} would be re-created there later:`]),
  ...services.map((hit) => `    ${hitText(hit)}`),
]

/** Counted separately: every version of Compose re-creates them. */
const renderCascaded = (cascaded: readonly CascadedService[]): string[] => {
  if (cascaded.length === 0) return []
  const what =
    cascaded.length === 1
      ? '1 more service, which shares'
      : `${cascaded.length} more services, which share`
  return [
    `${what} their namespace or volumes, with any version of Compose:`,
    ...cascaded.map(
      ({ namespace, stagelet, service, with: others }) =>
        `    ${namespace}/${stagelet}  ${service}  (with ${others.join(', ')})`,
    ),
  ]
}
