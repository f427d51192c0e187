// What a cluster would say of an object: the keywords that our CRDs use, and their CEL rules.

export interface StructuralSchema {
  readonly type: string
  readonly properties?: Readonly<Record<string, StructuralSchema>>
  readonly additionalProperties?: StructuralSchema
  readonly items?: StructuralSchema
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly 'x-kubernetes-validations'?: readonly { rule: string; message: string }[]
}

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
/** A cluster takes null for absent, as none of our fields is nullable. */
const absent = (value: unknown): boolean => value === undefined || value === null

const hasType = (type: string, value: unknown): boolean => {
  switch (type) {
    case 'object':
      return isFields(value)
    case 'array':
      return Array.isArray(value)
    case 'integer': // of format int64
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 63
    default:
      return typeof value === type
  }
}

const boundsOf = (schema: StructuralSchema, value: unknown): boolean[] => {
  const { minLength = 0, maxLength = Infinity, minItems = 0, maxItems = Infinity } = schema
  const { minimum = -Infinity, maximum = Infinity, pattern } = schema
  if (typeof value === 'string')
    return [
      value.length >= minLength,
      value.length <= maxLength,
      pattern === undefined || new RegExp(pattern).test(value),
    ]
  if (typeof value === 'number') return [value >= minimum, value <= maximum]
  return Array.isArray(value) ? [value.length >= minItems, value.length <= maxItems] : []
}

/** Paths of what the schema refuses. Fields that it does not know are pruned, and so do not count. */
export const violations = (schema: StructuralSchema, value: unknown, path: string): string[] => {
  if (!hasType(schema.type, value)) return [path]
  const good =
    boundsOf(schema, value).every(Boolean) &&
    (schema.enum === undefined || schema.enum.includes(value))
  if (!good) return [path]
  if (Array.isArray(value) && schema.items !== undefined)
    return value.flatMap((item, i) => violations(schema.items!, item, `${path}[${i}]`))
  if (!isFields(value)) return []
  const missing = (schema.required ?? []).filter((name) => absent(value[name]))
  return [
    ...missing.map((name) => `${path}.${name}`),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
      absent(value[name]) ? [] : violations(child, value[name], `${path}.${name}`),
    ),
  ]
}

/** Without the fields that the schema does not know, as a cluster stores it. */
export const pruned = (schema: StructuralSchema, value: unknown): unknown => {
  if (!isFields(value) || schema.properties === undefined) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, child]) => {
      const known = schema.properties?.[name]
      return known === undefined || absent(child) ? [] : [[name, pruned(known, child)]]
    }),
  )
}

/** With the defaults of the schema, as a cluster fills them in before it looks at rules. */
export const withDefaults = (schema: StructuralSchema, value: unknown): unknown => {
  if (!isFields(value)) return value
  const filled = { ...value }
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (!absent(filled[name])) filled[name] = withDefaults(child, filled[name])
    else if (child.default !== undefined) filled[name] = child.default
    else Reflect.deleteProperty(filled, name)
  }
  return filled
}

/** Words of CEL, which no rule may use as the name of a field: Kubernetes calls a field `in` by `__in__`. */
const reserved =
  'true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while'
const wrong = new RegExp(`\\.(?:${reserved})\\b`)
const escaped = new RegExp(`\\.__(${reserved})__\\b`, 'g')

/** The little of CEL that our rules use, as JavaScript; `name` is what they call the value. */
export const holds = (rule: string, value: unknown, name = 'self'): boolean => {
  if (wrong.test(rule)) throw new Error(`a word of CEL is no name of a field: ${rule}`)
  const text = rule
    .replaceAll(escaped, '.$1')
    .replaceAll(/has\(([\w.]+)\)/g, (_, path: string) => {
      const steps = path.replaceAll('.', '?.')
      return `(${steps} !== undefined)`
    })
    .replaceAll(/\.filter\((\w+), \1\)/g, '.filter((x) => x)')
    .replaceAll(/\.exists_one\((\w+), ([^()]*)\)/g, '.filter(($1) => $2).length === 1')
    .replaceAll(/\.all\((\w+), /g, '.every(($1) => ')
    .replaceAll('.size()', '.length')
    .replaceAll('.contains(', '.includes(')
    .replaceAll(/([^!=<>])==([^=])/g, '$1===$2')
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- text of our own CRDs
  const judge = new Function(name, `return ${text}`) as (value: unknown) => boolean
  return judge(value)
}

/** Messages of the rules that `value`, good by the schema, breaks, at every depth. Rules about changes do not count. */
export const brokenRules = (schema: StructuralSchema, value: unknown): string[] => [
  ...(schema['x-kubernetes-validations'] ?? [])
    .filter(({ rule }) => !rule.includes('oldSelf'))
    .filter(({ rule }) => !holds(rule, value))
    .map(({ message }) => message),
  ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    isFields(value) && value[name] !== undefined ? brokenRules(child, value[name]) : [],
  ),
]
