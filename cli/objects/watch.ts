// get --watch: a line for each object and each change, with the event first; JSON lines with `-o json`.
import { openClient } from '../connect/client.ts'
import { defined } from '../../src/kernel/defined.ts'
import { pathOf } from '../connect/api.ts'
import { usageError } from '../errors.ts'
import type { ObjectFlags } from '../options.ts'
import { nameOfObject, rendererOf, tidy } from '../output/output.ts'
import { renderRow, tableCells, widthsOf, type TableOptions } from '../output/table.ts'
import { oneLine, out } from '../print.ts'
import { followTable, type RowEvent } from './follow.ts'
import { parseTargets } from '../output/kinds.ts'
import { narrowToProject, type ProjectFlags } from './get.ts'
import { getObject, objectSelection } from './objects.ts'

type ShowEvents = Parameters<typeof followTable>[2]

const widestEvent = 'MODIFIED'.length

/** Goes on until the process ends. */
export const watchTargets = async (
  words: readonly string[],
  flags: ProjectFlags,
): Promise<void> => {
  const [target, ...otherKinds] = parseTargets(words)
  const [name, ...otherNames] = target?.names ?? []
  if (target === undefined || otherKinds.length > 0 || otherNames.length > 0)
    throw usageError('--watch follows one kind, or one object: stagely get stagelets -w')
  const { output, allNamespaces, selector } = flags
  const { kind } = target
  if (name !== undefined && selector !== undefined) throw usageError('give names or -l, not both')
  if (name !== undefined && kind.namespaced && allNamespaces === true)
    throw usageError('names need one namespace: leave out -A')
  const { api } = await openClient(flags)
  const { namespace } = objectSelection(api, flags)
  const { fields } = await narrowToProject(api, [target], flags)
  // What is not there is told at once.
  if (name !== undefined) await getObject(api, kind, namespace ?? '', name)
  const query = defined({
    labelSelector: selector,
    fieldSelector: name === undefined ? fields : `metadata.name=${name}`,
  })
  const path = pathOf(kind, kind.namespaced ? namespace : undefined)
  const showNamespace = kind.namespaced && allNamespaces === true
  const show =
    output === undefined || output === 'wide'
      ? linePrinter({ wide: output === 'wide', showNamespace })
      : await objectPrinter(output)
  await followTable(api, { path, query }, show, { signal: new AbortController().signal })
}

/** Prints the header before the first lines. Columns become wider where a later line needs that. */
const linePrinter = (options: TableOptions): ShowEvents => {
  let widths: number[] | undefined
  return (events, columnDefinitions) => {
    const rows = events.map(({ row }) => row)
    const [header = [], ...cells] = tableCells({ columnDefinitions, rows }, options)
    const lines = cells.map((line, i) => [events[i]!.type, ...line.map(oneLine)])
    const shown = widths === undefined ? [['EVENT', ...header], ...lines] : lines
    const former = widths ?? [widestEvent]
    widths = widthsOf(shown).map((width, i) => Math.max(width, former[i] ?? 0))
    for (const line of shown) out(renderRow(line, widths))
  }
}

/** A line of JSON, a document of YAML, or a line by the template, for each change. */
const objectPrinter = async (
  output: Exclude<ObjectFlags['output'], 'wide' | undefined>,
): Promise<ShowEvents> => {
  const render = await rendererOf(output)
  const textOf = ({ type, row: { object } }: RowEvent): string => {
    if (output === 'name') return nameOfObject(object)
    const event = { type, object: tidy(object) }
    if (output === 'json') return JSON.stringify(event)
    return output === 'yaml' ? `---\n${render(event).trimEnd()}` : render(event.object)
  }
  return (events) => {
    for (const event of events) out(textOf(event))
  }
}
