// Objects as YAML, JSON or names.
import { Document, visit } from 'yaml'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { fullName, servedKind } from '../objects/kinds.ts'
import { jsonPathOf, type ObjectFlags } from '../options.ts'
import { out, printable } from '../print.ts'

/** Text of which a part is escaped when it is printed stands in quotes, where the escapes are read back. */
const quoted = (document: Document): Document => {
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && printable(node.value) !== node.value)
        node.type = 'QUOTE_DOUBLE'
    },
  })
  return document
}

export const toYaml = (value: unknown): string =>
  // YAML 1.1, so that kubectl and this program read "yes" and "0600" back as text.
  quoted(new Document(value, { version: '1.1' })).toString({ lineWidth: 0 })

/** Data as JSON or YAML; else the text for people. */
export const printAs = (value: unknown, output: string | undefined, text: () => string): void =>
  out(
    output === 'json' ? JSON.stringify(value, null, 4) : output === 'yaml' ? toYaml(value) : text(),
  )

type Format = Exclude<ObjectFlags['output'], 'wide' | undefined>

/** CliError for a template that cannot be read. */
export const rendererOf = async (output: Format): Promise<(shown: object) => string> => {
  const template = jsonPathOf(output)
  if (template === undefined)
    return output === 'yaml' ? toYaml : (shown) => JSON.stringify(shown, null, 4)
  const { renderJsonPath } = await import('./jsonpath.ts')
  return (shown) => renderJsonPath(template, shown)
}

/** One object, or a List when several were requested. */
export const renderObjects = async (
  objects: readonly KubeObject[],
  output: Format,
  single: boolean,
): Promise<string> => {
  if (output === 'name') return objects.map(nameOfObject).join('\n')
  const items = objects.map(tidy)
  const list = { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items }
  return (await rendererOf(output))(single && items.length === 1 ? items[0]! : list)
}

export const nameOfObject = ({ kind, metadata }: KubeObject): string =>
  fullName(servedKind(kind), metadata.name)

/** Without managedFields; kubectl hides them too. */
export const tidy = (object: KubeObject): KubeObject => {
  const { managedFields: _hidden, ...metadata } = object.metadata as KubeObject['metadata'] & {
    managedFields?: unknown
  }
  return { ...object, metadata }
}

/** Annotations that are of use to people. */
export const plainAnnotations = (object: KubeObject): Record<string, string> =>
  Object.fromEntries(
    Object.entries(object.metadata.annotations ?? {}).filter(
      ([key]) => key !== annotations.lastApplied,
    ),
  )
