// A quick check: does a change only set fields that its writer owns already? Then no owner changes, and
// the field sets need not be computed. That holds for most writes of status.
import { isRecord } from '../kernel/record.ts'
import { fieldStep, isAbsent, itemStep, leaf, shapeAt, type Fields } from './children.ts'
import type { Shape } from './shape.ts'

/** A pair would cost an iterator where it is taken apart: this runs for each field of each write of a status. */
interface Change {
  readonly before: unknown
  readonly after: unknown
}

/**
 * `owned` is the part of the manager's FieldsV1 for this value. May return false although the answer is
 * true; never the reverse.
 */
export const changesOnlyOwned = (
  shape: Shape,
  owned: unknown,
  { before, after }: Change,
): boolean => {
  if (before === after) return true
  if (isAbsent(before) || isAbsent(after)) return isAbsent(before) && isAbsent(after)
  switch (shape.form) {
    case 'leaf':
      return isOwnedWhole(owned) || sameText(before, after)
    case 'set':
      return sameText(before, after)
    case 'struct':
    case 'map':
      return (
        isRecord(before) && isRecord(after) && fieldsChangeOnlyOwned(shape, owned, before, after)
      )
    case 'items':
      return (
        Array.isArray(before) &&
        Array.isArray(after) &&
        before.length === after.length &&
        before.every((item, i) => {
          const next = (after as unknown[])[i]
          return item === next || itemChangesOnlyOwned(shape, owned, item, next)
        })
      )
  }
}

const sameText = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** In FieldsV1 an owned field is `{}`, or has the key `.` when fields below it are owned too. */
const isOwnedWhole = (owned: unknown): boolean =>
  isRecord(owned) && ('.' in owned || Object.keys(owned).length === 0)

const below = (owned: unknown, step: string): unknown => (isRecord(owned) ? owned[step] : undefined)

const fieldsChangeOnlyOwned = (
  shape: Shape,
  owned: unknown,
  before: Fields,
  after: Fields,
): boolean => {
  const isOwned = (name: string): boolean => {
    const change = { before: before[name], after: after[name] }
    if (change.before === change.after) return true
    return changesOnlyOwned(shapeAt(shape, name) ?? leaf, below(owned, fieldStep(name)), change)
  }
  for (const name in before) if (!isOwned(name)) return false
  for (const name in after) if (!Object.hasOwn(before, name) && !isOwned(name)) return false
  return true
}

const itemChangesOnlyOwned = (
  shape: Extract<Shape, { form: 'items' }>,
  owned: unknown,
  before: unknown,
  after: unknown,
): boolean => {
  const step = itemStep(shape.keys, before)
  if (step === undefined || step !== itemStep(shape.keys, after)) return false
  return changesOnlyOwned(shape.item, below(owned, step), { before, after })
}

/** False where some part of `after` is not in `before`, so that something was added or changed. */
export const onlyRemoves = ({ before, after }: Change): boolean => {
  if (before === after) return true
  if (Array.isArray(before) && Array.isArray(after))
    return (after as unknown[]).every((item) =>
      before.some((other) => onlyRemoves({ before: other, after: item })),
    )
  if (!isRecord(before) || !isRecord(after)) return isAbsent(before) && isAbsent(after)
  return Object.keys(after).every((name) =>
    onlyRemoves({ before: before[name], after: after[name] }),
  )
}
