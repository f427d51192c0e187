// Prints answers of the REST API as a table, JSON, YAML or names.
import { parseOutput, toYaml, type Output } from './output.ts'
import { note, out } from './print.ts'
import { renderColumns } from './table.ts'

interface Column<T> {
  readonly header: string
  readonly cell: (item: T) => string | number | null | undefined
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

const chosen = (output: string | undefined): Output | undefined =>
  output === undefined ? undefined : parseOutput(output)

/** -o json and -o yaml print the server's data, as an array. */
export const printRecords = <T>(
  items: readonly T[],
  view: RecordView<T>,
  output: string | undefined,
): void => {
  const format = chosen(output)
  if (format === 'json') out(JSON.stringify(items, null, 4))
  else if (format === 'yaml') out(toYaml(items))
  else if (items.length === 0) {
    if (format !== 'name') note(view.empty)
  } else if (format === 'name') out(items.map(view.nameOf).join('\n'))
  else out(renderRecords(items, view, format === 'wide'))
}

/** One item: an object with -o json and -o yaml, else a table with one row. */
export const printRecord = <T>(item: T, view: RecordView<T>, output: string | undefined): void => {
  const format = chosen(output)
  if (format === 'json') out(JSON.stringify(item, null, 4))
  else if (format === 'yaml') out(toYaml(item))
  else printRecords([item], view, output)
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
