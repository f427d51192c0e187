// Writes of status by the controller are recorded in `managedFields`, as those of any client.
import { sameJson } from '../kernel/same-json.ts'
import type { KubeObject, ManagedFieldsEntry } from '../resources/meta.ts'
import { apiVersionOf } from '../resources/kind-names.ts'
import { requireKind } from '../kinds/index.ts'
import { maxUpdaters, parseManagers, renderManagers, sortEntries } from './managers.ts'
import { allFieldsText, entriesOfNew, formOf } from './new-fields.ts'
import { changesOnlyOwned, onlyRemoves } from './owned-changes.ts'
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
  const { managedFields: givenFields, ...metadata } = object.metadata
  const entries = Array.isArray(givenFields) ? givenFields : []
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
          who,
          before: statusOf(before),
          after: statusOf(object),
          now,
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

/** The entry of the controller where nobody else owns anything of the status. */
const ownEntryOf = ({ kind, metadata }: KubeObject): ManagedFieldsEntry | undefined => {
  const entries = metadata.managedFields
  if (!Array.isArray(entries)) return undefined
  const [own, ...others] = entries.filter(ownsStatus)
  const isOurs =
    own?.manager === controllerManager &&
    own.operation === 'Update' &&
    own.apiVersion === apiVersionOf(requireKind(kind)) &&
    own.subresource === 'status'
  return isOurs && others.length === 0 ? own : undefined
}

/** The entries where they can be told without the sets of fields: those of nearly all writes of the controller. */
const entriesAfterOwnChange = (
  object: KubeObject,
  before: KubeObject | undefined,
  now: string,
): ManagedFieldsEntry[] | undefined => {
  const own = ownEntryOf(object)
  if (own?.fieldsV1 === undefined) return undefined
  const entries = object.metadata.managedFields ?? []
  const shape = shapeOfKind(requireKind(object.kind))
  const change = { before: statusOf(before), after: statusOf(object) }
  const withOwn = (fieldsV1: Record<string, unknown>): ManagedFieldsEntry[] =>
    sortEntries(entries.map((entry) => (entry === own ? { ...own, time: now, fieldsV1 } : entry)))
  if (changesOnlyOwned(shape, own.fieldsV1, change))
    return sameJson(change.before, change.after) ? entries : withOwn(own.fieldsV1)
  if (entries.length >= maxUpdaters) return undefined
  // It owned all fields, and does so now.
  const after = allFieldsText(shape, change.after)
  const isAll = allFieldsText(shape, change.before) === JSON.stringify(own.fieldsV1)
  return isAll && after !== undefined && !onlyRemoves(change) ? withOwn(formOf(after)) : undefined
}
