// A table that is drawn whole, for some hundred rows at most; `Grid` is for more. A narrow window shows the
// columns that are not `wide`; where rows `stack`, their cells stand below each other there.
import type { ComponentChild } from 'preact'
import s from './table.module.css'

export interface TableColumn<T> {
  readonly title: string
  readonly render: (row: T) => ComponentChild
  /** Names the row. */
  readonly head?: boolean
  /** Not shown where the window is narrow. */
  readonly wide?: boolean
  readonly end?: boolean
  /** The title stands upright where the window is narrow. */
  readonly upright?: boolean
}

export interface TableProps<T> {
  readonly label: string
  readonly columns: readonly TableColumn<T>[]
  readonly rows: readonly T[]
  readonly idOf: (row: T) => string
  readonly stacks?: boolean
}

const classOf = <T,>({ wide, end, upright }: TableColumn<T>): string =>
  [
    wide === true ? s['wide'] : '',
    end === true ? s['end'] : '',
    upright === true ? s['upright'] : '',
  ]
    .join(' ')
    .trim()

export const DataTable = <T,>({ label, columns, rows, idOf, stacks }: TableProps<T>) => (
  <table
    class={`${s['table']} ${stacks === true ? s['stacks'] : ''}`}
    // Cells that are laid out otherwise stay cells.
    role="table"
    aria-label={label}
  >
    <thead role="rowgroup">
      <tr role="row">
        {columns.map((column) => (
          <th key={column.title} scope="col" role="columnheader" class={classOf(column)}>
            {column.title}
          </th>
        ))}
      </tr>
    </thead>
    <tbody role="rowgroup">
      {rows.map((row) => (
        <tr key={idOf(row)} role="row">
          {columns.map((column) =>
            column.head === true ? (
              <th key={column.title} scope="row" role="rowheader" class={classOf(column)}>
                {column.render(row)}
              </th>
            ) : (
              <td key={column.title} role="cell" class={classOf(column)}>
                {column.render(row)}
              </td>
            ),
          )}
        </tr>
      ))}
    </tbody>
  </table>
)

/** The buttons of a row. */
export const RowActions = ({ children }: { readonly children: ComponentChild }) => (
  <span class={s['actions']}>{children}</span>
)
