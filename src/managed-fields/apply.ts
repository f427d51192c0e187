// Server-side apply: merges a configuration into an object and updates the owners of its fields. Pure.
import { compare, fieldSetOf } from './compare.ts'
import { conflictError, findConflicts } from './conflicts.ts'
import {
  difference,
  emptySet,
  intersection,
  isEmptySet,
  union,
  type FieldSet,
} from './field-set.ts'
import {
  isSameManager,
  ownedByAny,
  withoutFields,
  type ManagerIdentity,
  type Manager,
} from './managers.ts'
import { merge, removeFields } from './merge.ts'
import type { Shape } from './shape.ts'

export interface Apply {
  readonly shape: Shape
  readonly managers: readonly Manager[]
  readonly who: Omit<ManagerIdentity, 'operation'>
  readonly live: unknown
  readonly config: unknown
  /** True: take fields from their owners. */
  readonly force: boolean
  /** Fields that may be taken without force. */
  readonly allowed?: FieldSet
  /** Time of the change. */
  readonly now: string
}

export interface Applied {
  readonly object: unknown
  readonly managers: Manager[]
}

const isSameSet = (a: FieldSet, b: FieldSet): boolean =>
  isEmptySet(difference(a, b)) && isEmptySet(difference(b, a))

/**
 * Sets every field of the configuration. Removes each field that this manager applied before, does not
 * apply now, and nobody else owns. Throws Conflict when it would change a value that another manager
 * owns.
 */
export const applyConfiguration = (apply: Apply): Applied => {
  const { shape, managers, live, config, now } = apply
  const who: ManagerIdentity = { ...apply.who, operation: 'Apply' }
  const own = managers.find((m) => isSameManager(m, who))
  const others = managers.filter((m) => m !== own)
  const fields = fieldSetOf(shape, config)
  const kept = union(ownedByAny(others), fields)
  const gone = difference(own?.fields ?? emptySet, kept)
  const object = removeFields(shape, merge(shape, live, config), { gone, kept })

  const { added, modified, removed } = compare(shape, live, object)
  const changed = union(added, modified)
  if (!apply.force) {
    const conflicts = findConflicts(others, changed, apply.allowed ?? emptySet)
    if (conflicts.length > 0) throw conflictError(conflicts)
  }
  const left = others.map((m) => withoutFields(m, union(intersection(m.fields, changed), removed)))
  const same = isEmptySet(changed) && isEmptySet(removed)
  // An apply that changes nothing keeps its time: otherwise each such apply would be a write.
  const time = same && (own === undefined || isSameSet(own.fields, fields)) ? own?.time : now
  return { object, managers: [...left, { ...who, time, fields }] }
}
