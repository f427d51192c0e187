// Aligned columns as kubectl prints them.
import type { KubeObject } from '../../src/resources/meta.ts'
import { oneLine, terminalWidth } from '../print.ts'

export interface ServerTable {
  readonly columnDefinitions:
    readonly { readonly name: string; readonly priority?: number }[] | null
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object?: KubeObject }[]
  readonly metadata?: { readonly continue?: string }
}

export interface TableOptions {
  readonly wide?: boolean
  readonly showNamespace?: boolean
  /** Prefix of each name, such as `stagelet.stagely.dev/`. */
  readonly namePrefix?: string
}

export const widthsOf = (rows: readonly (readonly string[])[]): number[] =>
  (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))

/** Cells, separated by three spaces; the last one is not padded. */
export const renderRow = (row: readonly string[], widths: readonly number[]): string =>
  widths
    .map((width, column) => oneLine(row[column] ?? '').padEnd(width))
    .join('   ')
    .trimEnd()

const leastWrapped = 24
const leastCut = 12

/** Words in lines of at most so many characters; a longer word is a line of its own. */
const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** Rows of a terminal of `most` columns: a long last column is wrapped, another long one is cut. A name never is. */
const fitRows = (rows: readonly string[][], most: number): string[][] => {
  const widths = widthsOf(rows)
  const over = widths.reduce((sum, width) => sum + width + 3, -3) - most
  const last = widths.length - 1
  if (over <= 0 || last < 1) return [...rows]
  const wrapped = (widths[last] ?? 0) - over
  if (wrapped >= leastWrapped)
    return rows.flatMap((row) =>
      wrap(row[last] ?? '', wrapped).map((text, i) =>
        i === 0 ? [...row.slice(0, last), text] : [...row.slice(0, last).fill(''), text],
      ),
    )
  const widest = Math.max(...widths.slice(1))
  const at = widths.indexOf(widest, 1)
  const cut = widest - over
  if (cut < leastCut) return [...rows]
  const short = (text: string): string => (text.length > cut ? `${text.slice(0, cut - 1)}…` : text)
  return rows.map((row) => row.map((text, i) => (i === at ? short(text) : text)))
}

/** `most`: characters of a line; undefined: as many as there are. */
export const renderColumns = (
  header: readonly string[],
  rows: readonly (readonly string[])[],
  most = terminalWidth(),
): string => {
  const all = [[...header], ...rows.map((row) => row.map(oneLine))]
  const fitting = most === undefined ? all : fitRows(all, most)
  const widths = widthsOf(fitting)
  return fitting.map((row) => renderRow(row, widths)).join('\n')
}

/** A server-side Table as lines of text, the header first. Cells of `date` are already human-readable. */
export const tableCells = (
  { columnDefinitions, rows }: ServerTable,
  { wide = false, showNamespace = false, namePrefix = '' }: TableOptions = {},
): string[][] => {
  const shown = (columnDefinitions ?? [])
    .map((definition, index) => ({ definition, index }))
    .filter(({ definition }) => wide || (definition.priority ?? 0) === 0)
  const lead = (cell: string): string[] => (showNamespace ? [cell] : [])
  const header = shown.map(({ definition }) => definition.name.toUpperCase())
  const cellsOf = (row: ServerTable['rows'][number]): string[] =>
    shown.map(({ index }) => (index === 0 ? namePrefix : '') + cellText(row.cells[index]))
  return [
    [...lead('NAMESPACE'), ...header],
    ...rows.map((row) => [...lead(row.object?.metadata.namespace ?? ''), ...cellsOf(row)]),
  ]
}

export const renderTable = (table: ServerTable, options?: TableOptions): string => {
  const [header = [], ...rows] = tableCells(table, options)
  return renderColumns(header, rows)
}

const cellText = (cell: unknown): string => {
  if (typeof cell === 'string') return cell
  return cell === null || cell === undefined ? '' : JSON.stringify(cell)
}
