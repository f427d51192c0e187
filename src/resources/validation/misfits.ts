// The first places where a value is not of its schema. zod makes an object of each fault, which costs a hundred times
// as much as the value itself: what comes from agents is looked at here first.
import type * as z from 'zod'
import { schemaNodeOf, type SchemaNode } from './schema-node.ts'

/** Notes what does not fit; true where enough was found. */
type Look = (value: unknown, path: string) => boolean

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
  if (typeof value === 'string') return value.length <= (node.maxLength ?? Infinity)
  if (typeof value === 'number')
    return (
      value >= (node.minimum ?? -Infinity) &&
      value > (node.exclusiveMinimum ?? -Infinity) &&
      value <= (node.maximum ?? Infinity)
    )
  return !Array.isArray(value) || value.length <= (node.maxItems ?? Infinity)
}

const fieldsLook = (node: SchemaNode, found: (path: string) => boolean): Look => {
  const fields = Object.entries(node.properties ?? {}).map(
    ([name, child]) => [name, looker(child, found)] as const,
  )
  const required = new Set(node.required)
  const { additionalProperties: entries, propertyNames: keys } = node
  const most = node.maxProperties ?? Infinity
  const entry = typeof entries === 'object' ? looker(entries, found) : undefined
  return (value, path) => {
    const given = value as Readonly<Record<string, unknown>>
    for (const [name, look] of fields) {
      const at = within(path, name)
      if (given[name] === undefined) {
        if (required.has(name) && found(at)) return true
      } else if (look(given[name], at)) return true
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

const looker = (node: SchemaNode, found: (path: string) => boolean): Look => {
  const choices = node.anyOf ?? node.oneOf
  if (choices !== undefined) {
    const fits = choices.map((choice) => looker(choice, () => true))
    return (value, path) => fits.every((look) => look(value, path)) && found(path)
  }
  const inner =
    node.type === 'object'
      ? fieldsLook(node, found)
      : node.items && itemsLook(looker(node.items, found))
  return (value, path) => {
    if (!isPlain(node, value)) return found(path)
    return inner?.(value, path) === true
  }
}

const itemsLook =
  (look: Look): Look =>
  (value, path) =>
    (value as unknown[]).some((item, i) => look(item, within(path, i)))

type Finder = (value: unknown, most: number) => string[]

const finders = new WeakMap<z.ZodType, Finder>()

const finderOf = (schema: z.ZodType): Finder => {
  const known = finders.get(schema)
  if (known !== undefined) return known
  const one = { paths: [] as string[], most: 0 }
  const look = looker(schemaNodeOf(schema), (path) => one.paths.push(path) >= one.most)
  const made: Finder = (value, most) => {
    Object.assign(one, { paths: [], most })
    look(value, '')
    return one.paths
  }
  finders.set(schema, made)
  return made
}

/** Up to `most` paths of what is not of its type or out of its bounds; what the schema checks besides is not looked at. */
export const misfitsOf = (schema: z.ZodType, value: unknown, most: number): readonly string[] =>
  finderOf(schema)(value, most)
