// Reads and writes `metadata.managedFields`: the managers and the fields that each one owns.
import { defined } from '../kernel/defined.ts'
import { isStorable } from '../kernel/storable.ts'
import type { ManagedFieldsEntry } from '../resources/meta.ts'
import { difference, fromFieldsV1, isEmptySet, toFieldsV1, union } from './field-set.ts'
import type { FieldSet } from './field-set.ts'

/** One entry. Manager, operation, apiVersion and subresource together identify it. */
export interface Manager {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  /** '' for the object itself. */
  readonly subresource: string
  readonly time: string | undefined
  readonly fields: FieldSet
}

export type ManagerIdentity = Pick<Manager, 'manager' | 'operation' | 'apiVersion' | 'subresource'>

/** More entries of updates than this are merged into one, as in Kubernetes. */
export const maxUpdaters = 10
const ancient = 'ancient-changes'

export const isSameManager = (a: ManagerIdentity, b: ManagerIdentity): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.apiVersion === b.apiVersion &&
  a.subresource === b.subresource

/** undefined when an entry is invalid. */
export const parseManagers = (entries: unknown): Manager[] | undefined => {
  if (entries === undefined || entries === null) return []
  if (!Array.isArray(entries)) return undefined
  const managers = (entries as unknown[]).map(parseEntry)
  return managers.every((m) => m !== undefined) ? managers : undefined
}

const isText = (value: unknown): boolean => typeof value === 'string' && isStorable(value)

const parseEntry = (input: unknown): Manager | undefined => {
  const entry = (input ?? {}) as ManagedFieldsEntry
  const { manager = '', operation, apiVersion, subresource = '', time, fieldsType } = entry
  const fields = fromFieldsV1(entry.fieldsV1)
  const good =
    fields !== undefined &&
    [manager, apiVersion, subresource, time ?? ''].every(isText) &&
    (operation === 'Apply' || operation === 'Update') &&
    fieldsType === 'FieldsV1'
  if (!good) return undefined
  return { manager, operation, apiVersion: apiVersion!, subresource, time, fields }
}

/** A field that a client or an old row left out counts as ''. */
type Named = { readonly [K in keyof Omit<Manager, 'fields'>]?: Manager[K] | undefined }

const order = ({ operation, time = '', manager, apiVersion, subresource = '' }: Named): string =>
  JSON.stringify([operation, time, manager, apiVersion, subresource])

/** Sorts entries as renderManagers() does. */
export const sortEntries = (entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] =>
  [...entries].sort((a, b) => (order(a) < order(b) ? -1 : 1))

/** Leaves out managers that own nothing. */
export const renderManagers = (managers: readonly Manager[]): ManagedFieldsEntry[] =>
  capUpdaters(managers.filter((m) => !isEmptySet(m.fields)))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
      manager,
      operation,
      apiVersion,
      ...defined({ time }),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      ...(subresource !== '' && { subresource }),
    }))

const capUpdaters = (managers: readonly Manager[]): Manager[] => {
  const updaters = managers.filter((m) => m.operation === 'Update')
  if (updaters.length <= maxUpdaters) return [...managers]
  const oldest = updaters
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .slice(0, updaters.length - maxUpdaters + 1)
  const merged = oldest.reduce<Manager>(
    (all, m) => ({ ...all, time: m.time, fields: union(all.fields, m.fields) }),
    { ...oldest[0]!, manager: ancient },
  )
  return [...managers.filter((m) => !oldest.includes(m)), merged]
}

export const ownedByAny = (managers: readonly Manager[]): FieldSet =>
  managers.reduce<FieldSet>((all, m) => union(all, m.fields), {
    self: false,
    children: new Map(),
  })

export const withoutFields = (manager: Manager, gone: FieldSet): Manager => ({
  ...manager,
  fields: difference(manager.fields, gone),
})
