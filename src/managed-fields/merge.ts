// Merges an applied configuration into an object, and removes fields from it. Inputs are never changed.
import { isRecord } from '../kernel/record.ts'
import { childrenOf, fieldStep, isAbsent, nameOfStep } from './children.ts'
import { childOf, isEmptySet, type FieldSet } from './field-set.ts'
import type { Shape } from './shape.ts'

/** `live` with every field of `config`; fields that are only in `live` stay. */
export const merge = (shape: Shape, live: unknown, config: unknown): unknown => {
  const old = childrenOf(shape, live)
  const given = childrenOf(shape, config)
  if (old === undefined || given === undefined) return config
  const merged = new Map([...old].map(([step, child]) => [step, child.value]))
  for (const [step, child] of given)
    merged.set(step, merge(child.shape, merged.get(step), child.value))
  return assemble(shape, merged)
}

const assemble = (shape: Shape, children: ReadonlyMap<string, unknown>): unknown =>
  shape.form === 'items' || shape.form === 'set'
    ? [...children.values()]
    : Object.fromEntries([...children].map(([step, value]) => [nameOfStep(step), value]))

/**
 * `value` without the fields of `gone`. A field that contains a field of `kept` stays, and so do
 * unowned fields beside a removed one. A block in which nobody owns a field any more is removed as a
 * whole, together with its defaults from the schema.
 */
export const removeFields = (
  shape: Shape,
  value: unknown,
  { gone, kept }: { gone: FieldSet; kept: FieldSet },
): unknown => {
  const children = childrenOf(shape, value)
  if (children === undefined || isEmptySet(gone)) return value
  const left = new Map<string, unknown>()
  for (const [step, child] of children) {
    const below = { gone: childOf(gone, step), kept: childOf(kept, step) }
    const goesWhole = below.gone.self || isBlock(step, child.shape)
    if (isEmptySet(below.gone)) left.set(step, child.value)
    else if (goesWhole && isEmptySet(below.kept)) continue
    else {
      const rest = removeFields(child.shape, child.value, below)
      if (!isHollow(rest) || below.kept.self) left.set(step, rest)
    }
  }
  return assemble(shape, left)
}

/**
 * True for a block that may be removed as a whole. `metadata` is none: the server's own fields in it
 * have no owner.
 */
const isBlock = (step: string, { form }: Shape): boolean =>
  form === 'struct' && step !== fieldStep('metadata')

const isHollow = (value: unknown): boolean =>
  isAbsent(value) ||
  (isRecord(value) && Object.keys(value).length === 0) ||
  (Array.isArray(value) && value.length === 0)
