// Prints answers of the REST API as a table, JSON, YAML or names.
import type { Output } from '../options.ts'
import { printAs } from './output.ts'
import { note, out } from '../print.ts'
import { renderColumns } from './table.ts'

type Cell = string | number | null | undefined

interface Column<T> {
  readonly header: string
  readonly cell: (item: T) => Cell
  /** True: only with -o wide. */
  readonly wide?: boolean
}

export interface RecordView<T> {
  readonly columns: readonly Column<T>[]
  /** Text for -o name, such as `project/shop`. */
  readonly nameOf: (item: T) => string
  /** Printed on stderr for an empty table: `No tokens found.` */
  readonly empty: string
}

type CellOf<T> = { [K in keyof T]-?: T[K] extends Cell ? K & string : never }[keyof T]

/** Columns of the fields with these names: `read_at` is READ AT. */
export const fields = <T>(...names: readonly CellOf<T>[]): Column<T>[] =>
  names.map((name) => ({
    header: name.replaceAll('_', ' ').toUpperCase(),
    cell: (item) => item[name] as Cell,
  }))

/** -o json and -o yaml print the server's data, as an array. */
export const printRecords = async <T>(
  items: readonly T[],
  view: RecordView<T>,
  format: Output | undefined,
): Promise<void> => {
  if (items.length === 0 && format !== 'json' && format !== 'yaml') {
    if (format !== 'name') note(view.empty)
    return
  }
  await printAs(items, format, () =>
    format === 'name'
      ? items.map(view.nameOf).join('\n')
      : renderRecords(items, view, format === 'wide'),
  )
}

/** One item: an object with -o json and -o yaml, else a table with one row. `said`: in its place without -o. */
export const printRecord = async <T>(
  item: T,
  view: RecordView<T>,
  output: Output | undefined,
  said?: string,
): Promise<void> => {
  if (output === undefined && said !== undefined) out(said)
  else if (output === 'json' || output === 'yaml') await printAs(item, output, () => '')
  else await printRecords([item], view, output)
}

export const renderRecords = <T>(
  items: readonly T[],
  view: RecordView<T>,
  wide: boolean,
): string => {
  const columns = view.columns.filter((column) => wide || column.wide !== true)
  return renderColumns(
    columns.map((column) => column.header),
    items.map((item) => columns.map((column) => String(column.cell(item) ?? ''))),
  )
}
