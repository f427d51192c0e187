// Aligned columns as kubectl prints them.
import type { KubeObject } from '../../src/resources/meta.ts'
import { oneLine } from '../print.ts'

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

export const renderColumns = (
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string => {
  const all = [header, ...rows.map((row) => row.map(oneLine))]
  const widths = widthsOf(all)
  return all.map((row) => renderRow(row, widths)).join('\n')
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
