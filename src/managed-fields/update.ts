// The managers after an update (POST, PUT, merge patch, JSON patch): the writer owns each field that
// the update changed.
import { compare } from './compare.ts'
import { difference, isEmptySet, union } from './field-set.ts'
import { isSameManager, withoutFields, type ManagerIdentity, type Manager } from './managers.ts'
import type { Shape } from './shape.ts'

export interface Update {
  readonly shape: Shape
  readonly managers: readonly Manager[]
  readonly who: Omit<ManagerIdentity, 'operation'>
  readonly before: unknown
  readonly after: unknown
  /** Time of the change. */
  readonly now: string
}

export const managersAfterUpdate = (update: Update): Manager[] => {
  const { shape, managers, now } = update
  const who: ManagerIdentity = { ...update.who, operation: 'Update' }
  const { added, modified, removed } = compare(shape, update.before, update.after)
  const changed = union(added, modified)
  const left = managers.map((m) => withoutFields(m, union(changed, removed)))
  if (isEmptySet(changed)) return left
  const own = left.find((m) => isSameManager(m, who))
  const fields = own === undefined ? changed : union(difference(own.fields, removed), changed)
  return [...left.filter((m) => m !== own), { ...who, time: now, fields }]
}
