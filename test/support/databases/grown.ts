// Bodies that hold many entries in one of their lists or maps, for each list and map that a schema has.
import * as z from 'zod'

interface Node {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
  readonly items?: Node
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Node | boolean
}

/** Of several forms the first one: the others are bodies of their own. */
const formsOf = (node: Node): readonly Node[] => node.oneOf ?? node.anyOf ?? [node]

/** The least value of the form; texts with different marks differ. */
const sample = (given: Node, mark: number): unknown => {
  const [node = {}] = formsOf(given)
  if (node.const !== undefined) return node.const
  if (node.enum !== undefined) return node.enum[0]
  switch (node.type) {
    case 'string':
      return `x${mark}`
    case 'integer':
    case 'number':
      return 1
    case 'boolean':
      return true
    case 'array':
      return []
    case 'object':
      return Object.fromEntries(
        (node.required ?? []).map((name) => [name, sample(node.properties?.[name] ?? {}, mark)]),
      )
    case undefined:
    default:
      return null
  }
}

export interface Grown {
  /** `services[].digests`. */
  readonly field: string
  readonly body: (entries: number) => unknown
}

const fill = <T>(entries: number, make: (i: number) => T): T[] =>
  Array.from({ length: entries }, (_, i) => make(i))

const within = (node: Node, field: string): Grown[] => {
  const { items, properties, additionalProperties: entry } = node
  if (node.type === 'array' && items !== undefined)
    return [
      { field, body: (entries) => fill(entries, (i) => sample(items, i)) },
      ...grownIn(items, `${field}[]`).map((one) => ({
        ...one,
        body: (entries: number) => [one.body(entries)],
      })),
    ]
  if (typeof entry === 'object' && properties === undefined)
    return [{ field, body: (n) => Object.fromEntries(fill(n, (i) => [`k${i}`, sample(entry, i)])) }]
  return Object.entries(properties ?? {}).flatMap(([name, child]) =>
    grownIn(child, field === '' ? name : `${field}.${name}`).map((one) => ({
      ...one,
      body: (entries: number) => ({ ...(sample(node, 0) as object), [name]: one.body(entries) }),
    })),
  )
}

const grownIn = (node: Node, field: string): Grown[] =>
  formsOf(node).flatMap((form) => within(form, field))

/** One for each list and map of the schema, and one with as many fields that it does not know. */
export const grownOf = (schema: z.ZodType): Grown[] => {
  const node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' })
  const unknown = (entries: number): unknown => ({
    ...(sample(node as Node, 0) as object),
    ...Object.fromEntries(fill(entries, (i) => [`unknown${i}`, i])),
  })
  return [...grownIn(node as Node, ''), { field: 'unknown fields', body: unknown }]
}
