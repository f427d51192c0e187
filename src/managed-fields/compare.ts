// The fields of a value, and the fields that differ between two values.
import { isRecord } from '../kernel/record.ts'
import { isDeepStrictEqual } from 'node:util'
import { childrenOf, isAbsent, itemStep, shapeAt, type Child } from './children.ts'
import { setOfPaths, type FieldPath, type FieldSet } from './field-set.ts'
import type { Shape } from './shape.ts'

/** Nobody owns an object, or its metadata, as a whole. */
const canBeOwned = (path: FieldPath): boolean =>
  path.length > 1 || (path.length === 1 && path[0] !== 'f:metadata')

/** The fields that an applier owns: leaves, items of lists, and maps that it leaves empty. */
export const fieldSetOf = (shape: Shape, value: unknown): FieldSet => {
  const paths: FieldPath[] = []
  collect(shape, value, [], paths)
  return setOfPaths(paths)
}

const collect = (shape: Shape, value: unknown, path: FieldPath, paths: FieldPath[]): void => {
  const children = childrenOf(shape, value)
  const isItem = path.at(-1)?.startsWith('k:') === true
  const owned = children === undefined || isItem || (isRecord(value) && children.size === 0)
  if (owned && canBeOwned(path)) paths.push(path)
  for (const [step, child] of children ?? [])
    collect(child.shape, child.value, [...path, step], paths)
}

export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/**
 * Compares two values; null counts as absent. When a map is added or removed, the map itself and all
 * fields below it count as added or removed.
 */
export const compare = (shape: Shape, before: unknown, after: unknown): Comparison => {
  const found = {
    added: [] as FieldPath[],
    modified: [] as FieldPath[],
    removed: [] as FieldPath[],
  }
  walk({ shape, before, after }, [], found)
  return {
    added: setOfPaths(found.added),
    modified: setOfPaths(found.modified),
    removed: setOfPaths(found.removed),
  }
}

interface Found {
  readonly added: FieldPath[]
  readonly modified: FieldPath[]
  readonly removed: FieldPath[]
}

const walk = (
  { shape, before, after }: { shape: Shape; before: unknown; after: unknown },
  path: FieldPath,
  found: Found,
): void => {
  const [was, isThere] = [!isAbsent(before), !isAbsent(after)]
  if (!was && !isThere) return
  const old = childrenOf(shape, before)
  const next = childrenOf(shape, after)
  if (!was && canBeOwned(path)) found.added.push(path)
  else if (!isThere && canBeOwned(path)) found.removed.push(path)
  else if ((old === undefined || next === undefined) && !isDeepStrictEqual(before, after))
    found.modified.push(path)
  for (const { step, ...child } of changedChildren(old, next)) walk(child, [...path, step], found)
}

/** The parts that are not the identical value on both sides. */
const changedChildren = (
  old: ReadonlyMap<string, Child> | undefined,
  next: ReadonlyMap<string, Child> | undefined,
): { step: string; shape: Shape; before: unknown; after: unknown }[] =>
  [...new Set([...(old?.keys() ?? []), ...(next?.keys() ?? [])])].flatMap((step) => {
    const [a, b] = [old?.get(step), next?.get(step)]
    if (a?.value === b?.value) return []
    return [{ step, shape: (b ?? a)!.shape, before: a?.value, after: b?.value }]
  })

/** The first part of `value` that cannot be applied, in Kubernetes' words; undefined: no fault. */
export const untypable = (shape: Shape, value: unknown, path = ''): string | undefined => {
  if (shape.form === 'items' && Array.isArray(value)) return untypableItems(shape, value, path)
  if (!isRecord(value) || shape.form === 'leaf') return undefined
  for (const [name, child] of Object.entries(value)) {
    const fieldPath = `${path}.${name}`
    const next = shapeAt(shape, name)
    const wrong =
      next === undefined
        ? `${fieldPath}: field not declared in schema`
        : untypable(next, child, fieldPath)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const untypableItems = (
  shape: Shape & { form: 'items' },
  list: readonly unknown[],
  path: string,
): string | undefined => {
  const keys = new Set<string>()
  for (const [i, item] of list.entries()) {
    const step = itemStep(shape.keys, item)
    if (step === undefined)
      return `${path}: element ${i}: associative list with keys has an element that omits key field ${JSON.stringify(shape.keys[0])}`
    if (keys.has(step)) return `${path}: duplicate entries for key ${step.slice(2)}`
    keys.add(step)
    const wrong = untypable(shape.item, item, `${path}[${i}]`)
    if (wrong !== undefined) return wrong
  }
  return undefined
}
