// The first places where a value is not of its schema. zod makes an object of each fault, which costs a hundred times
// as much as the value itself: what comes from agents is looked at here first.
import type * as z from 'zod'
import { isInstant } from '../../kernel/clock.ts'
import { schemaNodeOf, type SchemaNode } from './schema-node.ts'

/** Notes what does not fit; true where enough was found. */
type Check = (value: unknown, path: string) => boolean

const within = (path: string, part: string | number): string =>
  path === '' ? String(part) : `${path}.${part}`

const typeOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'array'
  return value === null ? 'null' : typeof value
}

const isOfType = (type: string | undefined, value: unknown): boolean =>
  type === undefined || (type === 'integer' ? Number.isInteger(value) : typeOf(value) === type)

const isPlain = (node: SchemaNode, value: unknown): boolean => {
  if (node.const !== undefined) return value === node.const
  if (node.enum !== undefined) return node.enum.includes(value)
  if (!isOfType(node.type, value)) return false
  if (typeof value === 'string')
    return (
      value.length <= (node.maxLength ?? Infinity) &&
      (node.format !== 'date-time' || isInstant(value))
    )
  if (typeof value === 'number')
    return (
      value >= (node.minimum ?? -Infinity) &&
      value > (node.exclusiveMinimum ?? -Infinity) &&
      value <= (node.maximum ?? Infinity)
    )
  return !Array.isArray(value) || value.length <= (node.maxItems ?? Infinity)
}

const fieldsCheck = (node: SchemaNode, found: (path: string) => boolean): Check => {
  const fields = Object.entries(node.properties ?? {}).map(
    ([name, child]) => [name, checkerOf(child, found)] as const,
  )
  const required = new Set(node.required)
  const { additionalProperties: entries, propertyNames: keys } = node
  const most = node.maxProperties ?? Infinity
  const entry = typeof entries === 'object' ? checkerOf(entries, found) : undefined
  return (value, path) => {
    const given = value as Readonly<Record<string, unknown>>
    for (const [name, check] of fields) {
      const fieldPath = within(path, name)
      if (given[name] === undefined) {
        if (required.has(name) && found(fieldPath)) return true
      } else if (check(given[name], fieldPath)) return true
    }
    if (entry === undefined) return false
    let count = 0
    for (const key in given) {
      if (++count > most) return found(path)
      if (keys !== undefined && !isPlain(keys, key)) return found(path)
      if (entry(given[key], within(path, key))) return true
    }
    return false
  }
}

const checkerOf = (node: SchemaNode, found: (path: string) => boolean): Check => {
  const choices = node.anyOf ?? node.oneOf
  if (choices !== undefined) {
    const fits = choices.map((choice) => checkerOf(choice, () => true))
    return (value, path) => fits.every((check) => check(value, path)) && found(path)
  }
  const inner =
    node.type === 'object'
      ? fieldsCheck(node, found)
      : node.items && itemsCheck(checkerOf(node.items, found))
  return (value, path) => {
    if (!isPlain(node, value)) return found(path)
    return inner?.(value, path) === true
  }
}

const itemsCheck =
  (check: Check): Check =>
  (value, path) =>
    (value as unknown[]).some((item, i) => check(item, within(path, i)))

type Finder = (value: unknown, most: number) => string[]

const finders = new WeakMap<z.ZodType, Finder>()

const finderOf = (schema: z.ZodType): Finder => {
  const cached = finders.get(schema)
  if (cached !== undefined) return cached
  const search = { paths: [] as string[], most: 0 }
  const check = checkerOf(schemaNodeOf(schema), (path) => search.paths.push(path) >= search.most)
  const made: Finder = (value, most) => {
    Object.assign(search, { paths: [], most })
    check(value, '')
    return search.paths
  }
  finders.set(schema, made)
  return made
}

/** Up to `most` paths of what is not of its type or out of its bounds; what the schema checks besides is not looked at. */
export const misfitsOf = (schema: z.ZodType, value: unknown, most: number): readonly string[] =>
  finderOf(schema)(value, most)
