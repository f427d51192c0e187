// Finds what a zod schema lets be of any size: texts, lists and maps without a bound, numbers without a least one, and
// fields of any type. It reads the JSON schema that zod makes of what may be given.
import * as z from 'zod'

interface Node {
  readonly type?: string | readonly string[]
  readonly enum?: unknown
  readonly const?: unknown
  readonly pattern?: string
  readonly maxLength?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly allOf?: readonly Node[]
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
  readonly items?: Node | boolean
  readonly prefixItems?: readonly Node[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly propertyNames?: Node
  readonly additionalProperties?: Node | boolean
}

/** Without escapes, classes of characters and groups, whose own repetition is what counts. */
const bare = (pattern: string): string => {
  let text = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
  for (let before = ''; before !== text;) {
    before = text
    text = text.replace(/\((?:\?[:=!])?([^()]*)\)/g, (_, inner: string) =>
      /[*+]|\{\d+,\}/.test(inner) ? '*' : 'x',
    )
  }
  return text
}

/** True where only texts of a bounded length match. */
const isBounded = (pattern: string): boolean =>
  !/[*+]|\{\d+,\}/.test(bare(pattern)) &&
  bare(pattern)
    .split('|')
    .every((part) => part.startsWith('^') && part.endsWith('$'))

const unboundedText = ({ maxLength, pattern, allOf = [] }: Node): boolean =>
  maxLength === undefined &&
  !(pattern !== undefined && isBounded(pattern)) &&
  allOf.every((one) => unboundedText(one))

const asNode = (given: Node | boolean = true): Node => (typeof given === 'object' ? given : {})

const inFields = (node: Node, path: string): string[] => {
  const { properties = {}, additionalProperties: entries, propertyNames: keys } = node
  const fields = Object.entries(properties).flatMap(([name, child]) =>
    unbounded(child, path === '' ? name : `${path}.${name}`),
  )
  if (entries === undefined || entries === false) return fields
  return [
    ...fields,
    ...(node.maxProperties === undefined ? [`${path}: map`] : []),
    ...(keys === undefined ? [] : unbounded({ type: 'string', ...keys }, `${path} key`)),
    ...unbounded(asNode(entries), `${path}{}`),
  ]
}

const unbounded = (node: Node, path: string): string[] => {
  if (node.enum !== undefined || node.const !== undefined) return []
  const choices = [...(node.anyOf ?? []), ...(node.oneOf ?? [])]
  if (choices.length > 0) return choices.flatMap((one) => unbounded(one, path))
  if (Array.isArray(node.type))
    return (node.type as string[]).flatMap((type) => unbounded({ ...node, type }, path))
  switch (node.type) {
    case 'boolean':
    case 'null':
      return []
    case 'string':
      return unboundedText(node) ? [`${path}: text`] : []
    case 'integer':
    case 'number': {
      const least = node.minimum ?? node.exclusiveMinimum ?? -Infinity
      return least <= Number.MIN_SAFE_INTEGER ? [`${path}: number`] : []
    }
    case 'array': {
      const fixed = node.prefixItems ?? []
      // A tuple has no other items.
      const items = fixed.length > 0 ? [] : unbounded(asNode(node.items), `${path}[]`)
      const isOpen = node.maxItems === undefined && fixed.length === 0
      return [
        ...(isOpen ? [`${path}: list`] : []),
        ...fixed.flatMap((one, i) => unbounded(one, `${path}[${i}]`)),
        ...items,
      ]
    }
    case 'object':
      return inFields(node, path)
    case undefined:
    default:
      return [`${path}: any`]
  }
}

/** Paths of what has no bound, each with what it is: `services[].name: text`. */
export const unboundedIn = (schema: z.ZodType): string[] => [
  ...new Set(
    unbounded(
      z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Node,
      '',
    ),
  ),
]
