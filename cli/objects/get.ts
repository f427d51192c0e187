// Server-side tables as kubectl prints them, or the objects.
import { openClient } from '../connect/client.ts'
import { append } from '../../src/kernel/append.ts'
import { isReason } from '../../src/kernel/errors.ts'
import { type KubeApi, asTable, pathOf } from '../connect/api.ts'
import { Exit, renderError, usageError } from '../errors.ts'
import { parseTargets, type KindTarget } from '../output/kinds.ts'
import {
  calledAnywhere,
  readTargets,
  objectSelection,
  type IfThere,
  type ObjectSelection,
} from './objects.ts'
import type { ObjectFlags } from '../options.ts'
import { isInProject, type KindName } from '../../src/kinds/names.ts'
import { renderObjects } from '../output/output.ts'
import { note, out } from '../print.ts'
import { renderTable, type ServerTable } from '../output/table.ts'

export interface ProjectFlags extends ObjectFlags {
  readonly project?: string
}

/** Which objects of a list are meant. */
type Narrowed = Pick<ObjectSelection, 'isMeant' | 'fields'>

/** Only the objects of a project. UsageError for kinds that lie in none. */
export const narrowToProject = async (
  api: KubeApi,
  targets: readonly KindTarget[],
  { project, allNamespaces }: ProjectFlags,
): Promise<Narrowed> => {
  if (project === undefined) return {}
  if (allNamespaces === true) throw usageError('give --project or -A, not both')
  for (const { kind, names } of targets) {
    if (!isInProject(kind.kind as KindName))
      throw usageError(`--project does not go with ${kind.plural}: they lie in no project`)
    if (names.length > 0) throw usageError('give names or --project, not both')
  }
  // Reads the schema of secrets, which most lists do without.
  const { chosenProject } = await import('./secret-identity.ts')
  return { fields: `spec.projectRef.name=${await chosenProject(api, project)}` }
}

/** `words` are kinds and names, as for `stagely get`. */
export const get = async (
  words: readonly string[],
  flags: ObjectFlags,
  narrow?: (api: KubeApi, targets: readonly KindTarget[]) => Promise<Narrowed>,
): Promise<void> => {
  const { output } = flags
  const targets = parseTargets(words)
  const { api } = await openClient(flags)
  const selection = { ...objectSelection(api, flags), ...(await narrow?.(api, targets)) }
  const single = targets.length === 1 && targets[0]!.names.length === 1
  const missing: unknown[] = []
  const ifThere: IfThere = (reading) =>
    reading.catch((error: unknown) => {
      if (single || !isReason(error, 'NotFound')) throw error
      missing.push(error)
      return undefined
    })
  if (output === undefined || output === 'wide')
    await printTables(api, targets, selection, { wide: output === 'wide', ifThere })
  else {
    const found = await readTargets(api, targets, selection, ifThere)
    const objects = found.map(({ object }) => object)
    if (objects.length > 0 || output !== 'name') out(await renderObjects(objects, output, single))
  }
  if (missing.length === 0) return
  note(missing.map(renderError).join('\n'))
  throw new Exit(1)
}

const printTables = async (
  api: KubeApi,
  targets: readonly KindTarget[],
  selection: ObjectSelection,
  { wide, ifThere }: { readonly wide: boolean; readonly ifThere: IfThere },
): Promise<void> => {
  const tables: string[] = []
  for (const { kind, names } of targets) {
    if (names.length > 0 && selection.selector !== undefined)
      throw usageError('give names or -l, not both')
    const scope = kind.namespaced ? selection.namespace : undefined
    const isAnywhere = kind.namespaced && scope === undefined
    const foundIn = async (name: string): Promise<string[]> =>
      isAnywhere
        ? (await calledAnywhere(api, kind, name)).map(({ metadata }) =>
            pathOf(kind, metadata.namespace, name),
          )
        : [pathOf(kind, scope, name)]
    const paths = names.length === 0 ? [pathOf(kind, scope)] : []
    for (const name of names) append(paths, (await ifThere(foundIn(name))) ?? [])
    const parts: ServerTable[] = []
    for (const path of paths) {
      const part = await ifThere(readTable(api, path, selection))
      if (part !== undefined) parts.push(part)
    }
    const table: ServerTable = {
      columnDefinitions: parts[0]?.columnDefinitions ?? [],
      rows: parts.flatMap((p) => p.rows),
    }
    if (table.rows.length === 0) continue
    const namePrefix =
      targets.length > 1
        ? `${kind.singular}.${kind.group === '' ? '' : kind.group}/`.replace('./', '/')
        : ''
    tables.push(
      renderTable(table, {
        wide,
        showNamespace: kind.namespaced && scope === undefined,
        namePrefix,
      }),
    )
  }
  if (tables.length > 0) out(tables.join('\n\n'))
  else if (targets.some(({ names }) => names.length === 0))
    note(
      selection.namespace === undefined
        ? 'No resources found'
        : `No resources found in ${selection.namespace} namespace.`,
    )
}

const readTable = async (
  api: KubeApi,
  path: string,
  { selector: labelSelector, fields: fieldSelector, isMeant }: ObjectSelection,
): Promise<ServerTable> => {
  const rows: ServerTable['rows'][number][] = []
  let columnDefinitions: ServerTable['columnDefinitions'] = null
  let next: string | undefined
  const includeObject = isMeant === undefined ? undefined : 'Object'
  do {
    const query = { labelSelector, fieldSelector, includeObject, limit: '500', continue: next }
    const table = (await api.call(path, { accept: asTable, query })) as ServerTable
    columnDefinitions ??= table.columnDefinitions
    append(
      rows,
      table.rows.filter(({ object }) => object === undefined || (isMeant?.(object) ?? true)),
    )
    next = table.metadata?.continue
  } while (next !== undefined && next !== '')
  return { columnDefinitions, rows }
}
