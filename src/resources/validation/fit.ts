// Cuts a value to the bounds of its schema: texts, lists and maps lose what is over. Whoever writes what came from
// outside uses it, so that nothing unbounded is stored and no honest part is lost for a part that is too large.
import type * as z from 'zod'
import { isFields, schemaNodeOf, type SchemaNode as Node } from './schema-node.ts'

/** A field that was cut: the entries or characters of its largest value, and how many are kept. */
export interface Cut {
  /** `services`, `services[].detail`. */
  readonly field: string
  readonly had: number
  readonly kept: number
}

type Note = (cut: Cut) => void
/** Returns the same value where nothing was cut. */
type Cutter = (value: unknown, note: Note) => unknown

/** No half of a surrogate pair stays behind. */
const cutText = (text: string, most: number): string => {
  const kept = text.slice(0, most - 1)
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}

const textCutter =
  (field: string, most: number): Cutter =>
  (value, note) => {
    if (typeof value !== 'string' || value.length <= most) return value
    note({ field, had: value.length, kept: most })
    return cutText(value, most)
  }

const listCutter =
  (field: string, most: number, cutItem: Cutter | undefined): Cutter =>
  (value, note) => {
    if (!Array.isArray(value)) return value
    const given = value as unknown[]
    if (given.length > most) note({ field, had: given.length, kept: most })
    const kept = given.length > most ? given.slice(0, most) : given
    if (cutItem === undefined) return kept
    const items = kept.map((item) => cutItem(item, note))
    return items.every((item, i) => item === kept[i]) ? kept : items
  }

interface MapCutters {
  readonly most: number
  readonly mostInKey: number
  readonly cutEntry: Cutter | undefined
}

const mapCutter =
  (field: string, { most, mostInKey, cutEntry }: MapCutters): Cutter =>
  (value, note) => {
    if (!isFields(value)) return value
    const kept: [string, unknown][] = []
    let had = 0
    let isSame = true
    // Lists of all entries of a large map take several times as long.
    for (const key in value) {
      had += 1
      if (kept.length >= most || key.length > mostInKey) continue
      const entry = cutEntry ? cutEntry(value[key], note) : value[key]
      if (entry !== value[key]) isSame = false
      kept.push([key, entry])
    }
    if (kept.length < had) note({ field, had, kept: kept.length })
    return isSame && kept.length === had ? value : Object.fromEntries(kept)
  }

const objectCutter =
  (fields: readonly (readonly [string, Cutter])[]): Cutter =>
  (value, note) => {
    if (!isFields(value)) return value
    let cut = value
    for (const [name, cutField] of fields) {
      const before = value[name]
      if (before === undefined) continue
      const after = cutField(before, note)
      if (after !== before) cut = { ...cut, [name]: after }
    }
    return cut
  }

/** Undefined where the schema bounds nothing. */
const cutterOf = (node: Node, field: string): Cutter | undefined => {
  if (node.enum !== undefined) return undefined
  if (node.type === 'string')
    return node.maxLength === undefined ? undefined : textCutter(field, node.maxLength)
  if (node.type === 'array') {
    const cutItem = node.items && cutterOf(node.items, `${field}[]`)
    return listCutter(field, node.maxItems ?? Infinity, cutItem)
  }
  if (node.type !== 'object') return undefined
  const { properties, additionalProperties: entries } = node
  if (typeof entries === 'object' && properties === undefined)
    return mapCutter(field, {
      most: node.maxProperties ?? Infinity,
      mostInKey: node.propertyNames?.maxLength ?? Infinity,
      cutEntry: cutterOf(entries, `${field}{}`),
    })
  const fields = Object.entries(properties ?? {}).flatMap(([name, child]) => {
    const cut = cutterOf(child, field === '' ? name : `${field}.${name}`)
    return cut === undefined ? [] : [[name, cut] as const]
  })
  return fields.length === 0 ? undefined : objectCutter(fields)
}

const cutters = new WeakMap<z.ZodType, Cutter>()

const cutterFor = (schema: z.ZodType): Cutter => {
  const cached = cutters.get(schema)
  if (cached !== undefined) return cached
  const made = cutterOf(schemaNodeOf(schema), '') ?? ((value: unknown) => value)
  cutters.set(schema, made)
  return made
}

interface Fitted<T> {
  /** The given value itself, where nothing is over. */
  readonly value: T
  /** One for each field. */
  readonly cuts: readonly Cut[]
}

/** `value` within the bounds of the schema. Types are not checked: what has another type stays. */
export const fitTo = <T>(schema: z.ZodType, value: T): Fitted<T> => {
  const cuts = new Map<string, Cut>()
  const note = (cut: Cut): void => {
    if (cut.had > (cuts.get(cut.field)?.had ?? 0)) cuts.set(cut.field, cut)
  }
  return { value: cutterFor(schema)(value, note) as T, cuts: [...cuts.values()] }
}
