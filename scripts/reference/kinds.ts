// The page of all kinds, made of their schemas.
import type { SchemaNode } from '../../cli/explain/fields.ts'
import type { Kind } from '../../src/resources/define-kind.ts'
import { kinds } from '../../src/kinds/index.ts'
import { objectSchema } from '../../src/resources/schemas/crd.ts'
import { generatedMark } from './mark.ts'

/** The way to the fields of a list begins with `[]`, of a map with `{}`. */
const inside = (node: SchemaNode): { node: SchemaNode; way: string } => {
  const [inner, mark] = node.items ? [node.items, '[]'] : [node.additionalProperties, '.NAME']
  if (inner === undefined) return { node, way: '' }
  const deeper = inside(inner)
  return { node: deeper.node, way: mark + deeper.way }
}

const typeOf = (node: SchemaNode): string => {
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`
  if (node.additionalProperties !== undefined) return `map of ${typeOf(node.additionalProperties)}`
  return node.type ?? 'any'
}

/** Angle brackets, and words like `${KEY}`, are text. */
const plain = (text: string): string => text.replaceAll('<', '\\<').replaceAll('*', '\\*')

const lineOf = (path: string, node: SchemaNode, isRequired: boolean): string => {
  const facts = [
    typeOf(node),
    ...(isRequired ? ['required'] : []),
    ...(node.default === undefined ? [] : [`\`${JSON.stringify(node.default)}\` when absent`]),
  ]
  const values = inside(node).node.enum?.map((value) => `\`${String(value)}\``)
  return [
    `- \`${path}\` (${facts.join(', ')}):`,
    ...(node.description === undefined ? [] : [plain(node.description)]),
    ...(values === undefined ? [] : [`One of ${values.join(', ')}.`]),
  ].join(' ')
}

/** The same in all kinds. */
const isOfAll = (path: string): boolean => /^status\.conditions\[\]/.test(path)

const linesOf = (path: string, given: SchemaNode): string[] => {
  const { node, way } = inside(given)
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const childPath = `${path}${way}.${name}`
    if (isOfAll(childPath)) return []
    return [
      lineOf(childPath, child, node.required?.includes(name) === true),
      ...linesOf(childPath, child),
    ]
  })
}

const part = (kind: Kind, name: 'spec' | 'status'): string => {
  const node = (objectSchema(kind) as SchemaNode).properties?.[name]
  const lines = node === undefined ? [] : linesOf(name, node)
  return lines.length === 0 ? '' : `### ${kind.kind} ${name}\n\n${lines.join('\n')}\n\n`
}

const section = (kind: Kind): string => {
  const short = kind.shortNames.map((name) => `\`${name}\``).join(', ')
  const names = `\`${kind.plural}\`${short === '' ? '' : `, short ${short}`}`
  return `## ${kind.kind}\n\n${kind.description} Its name in commands: ${names}.\n\n${part(kind, 'spec')}${part(kind, 'status')}`
}

export const renderKinds = (): string => {
  const served = kinds.filter(({ internal, group }) => internal !== true && group !== '')
  return `# Kinds

${generatedMark('the schemas of the kinds')}

Every field of every kind. \`stagely explain KIND.FIELD\` and \`kubectl explain\` say the same. In the REST API the names are in snake case: \`project_ref\` for \`projectRef\`.

\`spec\` is what people write, \`status\` what machines write. \`status.conditions\` is a list of \`type\`, \`status\` (\`True\`, \`False\`, \`Unknown\`), \`reason\` and \`message\`: see [conditions](conditions.md).

${served.map(section).join('')}`
}
