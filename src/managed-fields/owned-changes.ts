// A quick check: does a change only set fields that its writer owns already? Then no owner changes, and
// the field sets need not be computed. That holds for most writes of status.
import { isRecord } from '../kernel/record.ts'
import { fieldStep, isAbsent, itemStep, shapeAt, type Fields } from './children.ts'
import type { Shape } from './shape.ts'

/**
 * `owned` is the part of the manager's FieldsV1 for this value. May return false although the answer is
 * true; never the reverse.
 */
export const changesOnlyOwned = (
  shape: Shape,
  owned: unknown,
  [before, after]: readonly [unknown, unknown],
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
        before.every((item, i) =>
          itemChangesOnlyOwned(shape, owned, [item, (after as unknown[])[i]]),
        )
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
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  for (const name of names) {
    const [was, is] = [before[name], after[name]]
    if (was === is) continue
    const child = shapeAt(shape, name) ?? { form: 'leaf' }
    if (!changesOnlyOwned(child, below(owned, fieldStep(name)), [was, is])) return false
  }
  return true
}

const itemChangesOnlyOwned = (
  shape: Extract<Shape, { form: 'items' }>,
  owned: unknown,
  [before, after]: readonly [unknown, unknown],
): boolean => {
  const step = itemStep(shape.keys, before)
  if (step === undefined || step !== itemStep(shape.keys, after)) return false
  return changesOnlyOwned(shape.item, below(owned, step), [before, after])
}
