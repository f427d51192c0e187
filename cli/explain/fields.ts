// The fields of a kind, from its schema: as kubectl explains them, and as a JSON Schema for editors.
import { apiVersionOf, type KindNames } from '../../src/resources/kind-names.ts'
import { requireKind } from '../../src/kinds/index.ts'
import { objectSchema } from '../../src/resources/schemas/crd.ts'
import { usageError } from '../errors.ts'
import { oneLine } from '../print.ts'

/** A part of a schema, as `explain` and the reference read it. */
export interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode
}

/** The fields below: of a list, those of an item; of a map, those of a value. */
const inside = (node: SchemaNode): SchemaNode => {
  const inner = node.items ?? node.additionalProperties
  return inner === undefined ? node : inside(inner)
}

const typeOf = (node: SchemaNode): string => {
  if (node.items !== undefined) return `[]${typeOf(node.items)}`
  if (node.additionalProperties !== undefined)
    return `map[string]${typeOf(node.additionalProperties)}`
  return node.type === 'object' ? 'Object' : (node.type ?? '')
}

const find = (root: SchemaNode, kind: KindNames, path: readonly string[]): SchemaNode => {
  let node = root
  for (const [i, name] of path.entries()) {
    const fields = inside(node).properties ?? {}
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field === undefined) {
      const where = [kind.plural, ...path.slice(0, i)].join('.')
      const names = Object.keys(fields)
      const has = names.length === 0 ? 'has no fields' : `has ${names.join(', ')}`
      throw usageError(`${where} has no field "${name}": it ${has}`)
    }
    node = field
  }
  return node
}

const label = (name: string, node: SchemaNode, parent: SchemaNode): string => {
  const isRequired = inside(parent).required?.includes(name) === true
  return `${name}\t<${typeOf(node)}>${isRequired ? ' -required-' : ''}`
}

const detailsOf = (node: SchemaNode): string[] => [
  ...(node.description === undefined ? [] : [oneLine(node.description)]),
  ...(node.enum === undefined ? [] : [`One of: ${node.enum.map(String).join(', ')}.`]),
  ...(node.default === undefined ? [] : [`Default: ${JSON.stringify(node.default)}.`]),
]

const fieldsOf = (parent: SchemaNode, indent: string, isRecursive: boolean): string[] =>
  Object.entries(inside(parent).properties ?? {}).flatMap(([name, node]) => [
    `${indent}${label(name, node, parent)}`,
    ...(isRecursive
      ? fieldsOf(node, `${indent}  `, true)
      : [...detailsOf(node).map((line) => `${indent}  ${line}`), '']),
  ])

/** CliError that lists the fields, where there is no such field. */
export const explainFields = (
  kind: KindNames,
  path: readonly string[],
  isRecursive: boolean,
): string => {
  const root = objectSchema(requireKind(kind.kind)) as SchemaNode
  const node = find(root, kind, path)
  const fields = fieldsOf(node, '  ', isRecursive)
  const name = path.at(-1)
  return [
    `KIND:     ${kind.kind}`,
    `VERSION:  ${apiVersionOf(kind)}`,
    ...(name === undefined ? [] : ['', `FIELD: ${name} <${typeOf(node)}>`]),
    '',
    'DESCRIPTION:',
    ...detailsOf(node).map((line) => `  ${line}`),
    ...(fields.length === 0 ? [] : ['', 'FIELDS:', ...fields]),
  ]
    .join('\n')
    .trimEnd()
}

/** Editors say of an unknown field that there is none. */
const closed = (node: SchemaNode): object => {
  const { properties, items, additionalProperties, ...more } = node
  return {
    ...more,
    ...(items !== undefined && { items: closed(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: closed(additionalProperties),
    }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, field]) => [name, closed(field)]),
      ),
      additionalProperties: false,
    }),
  }
}

const metadata: SchemaNode = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string' },
    namespace: { type: 'string' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
  },
}

/** One JSON Schema for manifests of all kinds; `kind` decides which fields there are. */
export const manifestSchema = (kinds: readonly KindNames[]): object => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'A manifest of Stagely',
  oneOf: kinds.map((kind) => {
    const {
      properties = {},
      required = [],
      ...root
    } = objectSchema(requireKind(kind.kind)) as SchemaNode
    const { status: _written, apiVersion, kind: name, ...declared } = properties
    return closed({
      ...root,
      required: ['apiVersion', 'kind', 'metadata', ...required],
      properties: {
        apiVersion: { ...apiVersion, enum: [apiVersionOf(kind)] },
        kind: { ...name, enum: [kind.kind] },
        ...declared,
        metadata,
      },
    })
  }),
})
