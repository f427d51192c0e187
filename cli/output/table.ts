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

/** Columns, separated by three spaces; the last one is not padded. */
export const renderColumns = (
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string => {
  const all = [header, ...rows.map((row) => row.map(oneLine))]
  const widths = header.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  )
  return all
    .map((row) =>
      header
        .map((_, column) => (row[column] ?? '').padEnd(widths[column]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}

/** A server-side Table as text. Cells of `date` are already human-readable. */
export const renderTable = (table: ServerTable, options: TableOptions = {}): string => {
  const definitions = table.columnDefinitions ?? []
  const shown = definitions
    .map((definition, index) => ({ definition, index }))
    .filter(({ definition }) => options.wide === true || (definition.priority ?? 0) === 0)
  const lead = options.showNamespace === true ? ['NAMESPACE'] : []
  const header = [...lead, ...shown.map(({ definition }) => definition.name.toUpperCase())]
  const rows = table.rows.map((row) => [
    ...(options.showNamespace === true ? [row.object?.metadata.namespace ?? ''] : []),
    ...shown.map(
      ({ index }) => (index === 0 ? (options.namePrefix ?? '') : '') + cellText(row.cells[index]),
    ),
  ])
  return renderColumns(header, rows)
}

const cellText = (cell: unknown): string => {
  if (typeof cell === 'string') return cell
  return cell === null || cell === undefined ? '' : JSON.stringify(cell)
}
