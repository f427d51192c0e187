// Writes of status by the controller are recorded in `managedFields`, as those of any client.
import type { KubeObject, ManagedFieldsEntry } from '../resources/meta.ts'
import { apiVersionOf, requireKind } from '../resources/registry.ts'
import { maxUpdaters, parseManagers, renderManagers, sortEntries } from './managers.ts'
import { entriesOfNew } from './new-fields.ts'
import { changesOnlyOwned } from './owned-changes.ts'
import { shapeOfKind } from './shape.ts'
import { managersAfterUpdate } from './update.ts'

/** The controller's name in `managedFields`, here and in a cluster that it follows. */
export const controllerManager = 'stagely-controller'

const statusOf = (object: KubeObject | undefined): object =>
  object?.status === undefined ? {} : { status: object.status }

/** The object; the controller becomes owner of the fields of `status` that differ from `before`. */
export const withStatusOwner = (
  object: KubeObject,
  before: KubeObject | undefined,
  now: string,
): KubeObject => {
  const kind = requireKind(object.kind)
  if (kind.status === undefined) return object
  const { managedFields: known, ...metadata } = object.metadata
  const entries = Array.isArray(known) ? known : []
  const kept = entriesAfterOwnChange(object, before, now)
  if (kept !== undefined) return { ...object, metadata: { ...metadata, managedFields: kept } }
  // Entries that own nothing of the status stay as they are, unless there may be too many.
  const concerned = entries.length < maxUpdaters ? entries.filter(ownsStatus) : entries
  const who = { manager: controllerManager, apiVersion: apiVersionOf(kind), subresource: 'status' }
  const isNew = concerned.length === 0 && before?.status === undefined
  const own = isNew
    ? entriesOfNew(shapeOfKind(kind), statusOf(object), { who, now })
    : renderManagers(
        managersAfterUpdate({
          shape: shapeOfKind(kind),
          managers: parseManagers(concerned) ?? [],
          ...{ who, before: statusOf(before), after: statusOf(object), now },
        }),
      )
  const others = entries.filter((entry) => !concerned.includes(entry))
  const managedFields = sortEntries([...others, ...own])
  return {
    ...object,
    metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields },
  }
}

const ownsStatus = (entry: ManagedFieldsEntry): boolean => 'f:status' in (entry.fieldsV1 ?? {})

/** The entries when the controller only set fields that it owns already; else undefined. */
const entriesAfterOwnChange = (
  object: KubeObject,
  before: KubeObject | undefined,
  now: string,
): ManagedFieldsEntry[] | undefined => {
  const entries = object.metadata.managedFields
  if (!Array.isArray(entries)) return undefined
  const kind = requireKind(object.kind)
  const ofStatus = entries.filter(ownsStatus)
  const [own, ...others] = ofStatus
  const isOurs =
    own?.manager === controllerManager &&
    own.operation === 'Update' &&
    own.apiVersion === apiVersionOf(kind) &&
    own.subresource === 'status'
  if (!isOurs || others.length > 0) return undefined
  const change = [statusOf(before), statusOf(object)] as const
  if (!changesOnlyOwned(shapeOfKind(kind), own.fieldsV1, change)) return undefined
  if (JSON.stringify(change[0]) === JSON.stringify(change[1])) return entries
  return sortEntries(entries.map((entry) => (entry === own ? { ...entry, time: now } : entry)))
}
