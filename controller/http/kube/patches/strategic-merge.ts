// Strategic merge patches, which kubectl sends for Kubernetes' own kinds: a merge patch with
// directives; lists are merged if the schema says so. Inputs are never changed.
import { StagelyError } from '../../../../src/kernel/errors.ts'
import { isRecord } from '../../../../src/kernel/record.ts'
import type { Schema } from '../../../../src/resources/schemas/crd.ts'

type Fields = Record<string, unknown>

const bad = (message: string): StagelyError => new StagelyError('BadRequest', message)

const directives = ['$setElementOrder/', '$deleteFromPrimitiveList/'] as const
const isDirective = (key: string): boolean =>
  key === '$patch' || key === '$retainKeys' || directives.some((start) => key.startsWith(start))

const listOf = (patch: Fields, key: string): unknown[] | undefined => {
  const value = patch[key]
  if (value === undefined || Array.isArray(value)) return value as unknown[] | undefined
  throw bad(`${key} of a strategic merge patch must be a list`)
}

const propertyOf = (schema: Schema, name: string): Schema =>
  ((schema['properties'] as Record<string, Schema> | undefined) ?? {})[name] ?? {}

/** `target` with `patch` merged in, by `x-kubernetes-patch-strategy` and `-merge-key` of the schema. */
export const applyStrategicPatch = (target: unknown, patch: unknown, schema: Schema): unknown => {
  if (!isRecord(patch)) return patch
  const how = patch['$patch']
  if (how === 'delete') return {}
  if (how !== undefined && how !== 'replace' && how !== 'merge')
    throw bad(`unknown $patch ${JSON.stringify(how)}: it is merge, replace or delete`)
  const result = new Map(isRecord(target) && how !== 'replace' ? Object.entries(target) : [])
  const retained = listOf(patch, '$retainKeys')
  if (retained !== undefined) dropOthers(result, new Set(retained))
  for (const key of fieldsOf(patch)) {
    const value = patch[key]
    const below = propertyOf(schema, key)
    if (value === null) result.delete(key)
    else if (below['x-kubernetes-patch-strategy'] === 'merge')
      result.set(key, mergeList(result.get(key), patch, { key, schema: below }))
    else result.set(key, applyStrategicPatch(result.get(key), value, below))
  }
  return Object.fromEntries(result)
}

const dropOthers = (fields: Map<string, unknown>, retained: ReadonlySet<unknown>): void => {
  for (const key of fields.keys()) if (!retained.has(key)) fields.delete(key)
}

/** The fields that a patch changes: those with a value, and those that a directive names. */
const fieldsOf = (patch: Fields): Set<string> =>
  new Set(
    Object.keys(patch).flatMap((key) => {
      const start = directives.find((directive) => key.startsWith(directive))
      if (start === '$deleteFromPrimitiveList/') return [key.slice(start.length)]
      return isDirective(key) ? [] : [key]
    }),
  )

/** Identifies an item of a merged list. */
type NameOf = (item: unknown) => string

const mergeList = (
  target: unknown,
  patch: Fields,
  { key, schema }: { key: string; schema: Schema },
): unknown[] => {
  const old = Array.isArray(target) ? (target as unknown[]) : []
  const given = listOf(patch, key) ?? []
  const mergeKey = schema['x-kubernetes-patch-merge-key']
  const order = listOf(patch, `$setElementOrder/${key}`) ?? []
  if (typeof mergeKey !== 'string') {
    const gone = new Set((listOf(patch, `$deleteFromPrimitiveList/${key}`) ?? []).map(textOf))
    const kept = old.filter((item) => !gone.has(textOf(item)))
    return inOrder(new Map([...kept, ...given].map((item) => [textOf(item), item])), order, textOf)
  }
  const nameOf: NameOf = (item) => textOf(isRecord(item) ? item[mergeKey] : undefined)
  return inOrder(mergeItems(old, given, nameOf), order, nameOf)
}

const textOf = (value: unknown): string => JSON.stringify(value) ?? ''

const mergeItems = (
  old: readonly unknown[],
  given: readonly unknown[],
  nameOf: NameOf,
): Map<string, unknown> => {
  const replaces = given.some((item) => isRecord(item) && item['$patch'] === 'replace')
  const items = new Map(replaces ? [] : old.map((item) => [nameOf(item), item]))
  for (const item of given) {
    if (!isRecord(item)) throw bad('each item of a merged list is an object')
    const { $patch: how, ...fields } = item
    if (how === 'replace') continue
    const name = nameOf(item)
    if (name === '') throw bad('an item of a merged list lacks its merge key')
    if (how === 'delete') items.delete(name)
    else items.set(name, applyStrategicPatch(items.get(name) ?? {}, fields, {}))
  }
  return items
}

/** Sorts the items that the order directive names, in the positions that they have among the others. */
const inOrder = (
  items: ReadonlyMap<string, unknown>,
  order: readonly unknown[],
  nameOf: NameOf,
): unknown[] => {
  const named = new Set(order.map(nameOf).filter((name) => items.has(name)))
  const next = named.values()
  return [...items].map(([name, item]) =>
    named.has(name) ? items.get(next.next().value ?? name) : item,
  )
}
