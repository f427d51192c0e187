// Objects as YAML, JSON or names.
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { fullName, servedKind } from './kinds.ts'
import { jsonPathOf, type ObjectFlags } from '../options.ts'
import { out } from '../print.ts'
import { usageError } from '../errors.ts'

/** Data as JSON or YAML; else the text for people. */
export const printAs = async (
  value: unknown,
  output: string | undefined,
  text: () => string,
): Promise<void> =>
  out(output === 'json' || output === 'yaml' ? (await rendererOf(output))(value) : text())

type Format = Exclude<ObjectFlags['output'], 'wide' | undefined>

/** Loads YAML where it is asked for. CliError for a template that cannot be read. */
export const rendererOf = async (output: Format): Promise<(shown: unknown) => string> => {
  const template = jsonPathOf(output)
  if (template === undefined)
    return output === 'yaml'
      ? (await import('./yaml.ts')).toYaml
      : (shown) => JSON.stringify(shown, null, 4)
  const { renderJsonPath } = await import('./jsonpath.ts')
  return (shown) => renderJsonPath(template, shown as object)
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

/** Usage error for a format that makes no sense here. Call it before anything is done. */
export const checkFormat = (output: string | undefined): void => {
  if (output !== undefined && output !== 'json' && output !== 'yaml')
    throw usageError(`-o ${output} is not known here; use json or yaml`)
}
