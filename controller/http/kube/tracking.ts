// Tracks field ownership: the manager of a request, and `metadata.managedFields` after its write.
import { defined } from '../../../src/kernel/defined.ts'
import type { KubeObject, ManagedFieldsEntry } from '../../../src/resources/meta.ts'
import { apiVersionOf } from '../../../src/resources/kind-names.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import { valueFields } from '../../../src/kinds/secret/value.ts'
import type { Transaction } from '../../../src/store/store.ts'
import type { AppContext } from '../env.ts'
import { invalidOption } from './params.ts'
import type { ManagerIdentity, Manager } from '../../../src/managed-fields/managers.ts'
import { parseManagers, renderManagers } from '../../../src/managed-fields/managers.ts'
import { entriesOfNew } from '../../../src/managed-fields/new-fields.ts'
import { shapeOfKind } from '../../../src/managed-fields/shape.ts'
import { managersAfterUpdate } from '../../../src/managed-fields/update.ts'
import { lifted, type Wire } from './wire-form.ts'

export type Subresource = '' | 'status'
export type Who = Omit<ManagerIdentity, 'operation'>

const maxManagerLength = 128

/** Parameter `fieldManager`; '' when absent. */
export const fieldManagerOf = (c: AppContext): string => {
  const name = c.req.query('fieldManager') ?? ''
  if (name.length > maxManagerLength)
    throw invalidOption(
      c,
      'fieldManager',
      'FieldValueTooLong',
      `Too long: may not be more than ${maxManagerLength} bytes`,
    )
  if (/[\x00-\x1f\x7f]/.test(name))
    throw invalidOption(
      c,
      'fieldManager',
      'FieldValueInvalid',
      'Invalid value: should only contain printable characters',
    )
  return name
}

/** Without a name, the client's program name is used, as in Kubernetes. */
const managerName = (c: AppContext): string => {
  const agent = (c.req.header('user-agent') ?? '').split('/')[0]!.slice(0, maxManagerLength)
  return [fieldManagerOf(c), agent, 'unknown'].find((name) => name !== '')!
}

export const whoOf = (c: AppContext, kind: Kind, subresource: Subresource): Who => ({
  manager: managerName(c),
  apiVersion: apiVersionOf(kind),
  subresource,
})

/** The part of an object whose fields can be owned through this subresource. */
export const ownedPart = (object: Wire, subresource: Subresource): Wire => {
  const { apiVersion: _, kind: __, metadata = {}, status, ...rest } = object
  if (subresource === 'status') return defined({ status })
  const { labels, annotations, finalizers, ownerReferences } = metadata as Wire
  return { ...rest, metadata: defined({ labels, annotations, finalizers, ownerReferences }) }
}

const nothing: Wire = { metadata: {} }

/** A marker for a stored value that differs from the given one; equal to no value. */
const anotherValue = false

/**
 * `before` with the secret's value where it is equal to the one in `after`, and else with a marker. The store compares
 * digests: the stored value is not opened. Without a value in `after` the result has none either, so that the value counts
 * as unchanged.
 */
export const withKnownValue = async (
  tx: Transaction,
  before: KubeObject,
  after: KubeObject,
): Promise<KubeObject> => {
  const given = valueFields.filter((field) => typeof after.spec?.[field] === 'string')
  const stored = before.status?.['version'] !== undefined
  if (before.kind !== 'StagelySecret' || given.length === 0 || !stored) return before
  const same = await tx.holdsValue(after)
  const values = given.map((field) => [field, same ? after.spec?.[field] : anotherValue])
  return { ...before, spec: { ...before.spec, ...(Object.fromEntries(values) as object) } }
}

const isReset = (entries: unknown): boolean =>
  Array.isArray(entries) &&
  entries.length === 1 &&
  Object.keys((entries[0] ?? {}) as object).length === 0

/** A request may write managedFields itself: invalid entries are ignored, `[{}]` removes all. */
const startingManagers = (
  live: ManagedFieldsEntry[] | undefined,
  requested: unknown,
): Manager[] => {
  if (isReset(requested)) return []
  const given = parseManagers(requested)
  return given === undefined || given.length === 0 ? (parseManagers(live) ?? []) : given
}

export interface TrackedChange {
  readonly who: Who
  /** undefined: the object is new. */
  readonly before: KubeObject | undefined
  readonly after: KubeObject
  /** `metadata.managedFields` of the request. */
  readonly requested?: unknown
  readonly now: string
}

/** `metadata.managedFields` after an update of the object or of its status. */
export const managedAfterUpdate = (
  kind: Kind,
  { who, before, after, requested, now }: TrackedChange,
): ManagedFieldsEntry[] => {
  const subresource = who.subresource as Subresource
  if (before === undefined && requested === undefined)
    return entriesOfNew(shapeOfKind(kind), ownedPart(lifted(after), subresource), { who, now })
  return renderManagers(
    managersAfterUpdate({
      shape: shapeOfKind(kind),
      managers: startingManagers(before?.metadata.managedFields, requested),
      who,
      before: before === undefined ? nothing : ownedPart(lifted(before), subresource),
      after: ownedPart(lifted(after), subresource),
      now,
    }),
  )
}
