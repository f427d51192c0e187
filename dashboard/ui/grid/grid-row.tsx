// One row of a grid: its cells, and how an event finds the cell that it is about.
import type { ComponentChild } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import s from './grid.module.css'

export interface Column<T> {
  readonly id: string
  readonly title: ComponentChild
  /** Width as a track of a CSS grid: `minmax(200px, 2fr)`; or, for each column of the table, in pixels. */
  readonly width: string | number
  readonly render: (row: T) => ComponentChild
  /** Says the cell in a sentence, where what is drawn is signs and no text. */
  readonly label?: (row: T) => string
  /** Not shown where the table is narrow. */
  readonly wide?: boolean
  readonly align?: 'end'
}

export interface Drawn<T> {
  readonly column: Column<T>
  /** Its place among all columns. */
  readonly index: number
  /** Pixels from the left; undefined: the tracks place it. */
  readonly left: number | undefined
}

export const placed = <T,>({ column, left }: Drawn<T>): Record<string, string> =>
  left === undefined ? {} : { left: `${left}px`, width: `${column.width}px` }

interface RowProps<T> {
  readonly id: string
  readonly row: T
  readonly drawn: readonly Drawn<T>[]
  readonly index: number
  readonly start: number
  /** The column whose cell is the tab stop; undefined: it is in another row. */
  readonly active: number | undefined
  readonly isMarked: boolean
  readonly isCurrent: boolean
}

export const isControl = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('a, button, input, label, select') !== null

const Row = <T,>({ id, row, drawn, index, start, active, isMarked, isCurrent }: RowProps<T>) => (
  <div
    role="row"
    aria-rowindex={index + 2}
    aria-selected={isCurrent}
    data-row={id}
    class={`${s['row']} ${s['body']} ${isMarked ? s['marked'] : ''}`}
    style={{ top: `${start}px` }}
  >
    {drawn.map((cell) => {
      const { column, index: place } = cell
      return (
        <div
          key={column.id}
          role={cell.left === undefined || place > 0 ? 'gridcell' : 'rowheader'}
          aria-colindex={place + 1}
          aria-label={column.label?.(row)}
          class={cellClass(cell)}
          style={placed(cell)}
          tabIndex={place === active ? 0 : -1}
          {...(place === active ? { 'data-active': '' } : {})}
        >
          {column.render(row)}
        </div>
      )
    })}
  </div>
)

/** A row is drawn anew only when something of it has changed: while one scrolls, most stay as they are. */
export const useDrawnRows = <T,>() => {
  const before = useRef(new Map<string, { props: RowProps<T>; node: ComponentChild }>())
  const next = new Map<string, { props: RowProps<T>; node: ComponentChild }>()
  useEffect(() => {
    before.current = next
  })
  return (props: RowProps<T>): ComponentChild => {
    const drawnBefore = before.current.get(props.id)
    const names = Object.keys(props) as (keyof RowProps<T>)[]
    const isSame =
      drawnBefore !== undefined && names.every((name) => drawnBefore.props[name] === props[name])
    const drawn = isSame ? drawnBefore : { props, node: <Row key={props.id} {...props} /> }
    next.set(props.id, drawn)
    return drawn.node
  }
}

/** The cell of an event: its row, and its place among the columns; -1: the event is of the row as a whole. */
export const cellOf = (target: EventTarget | null): { id: string; column: number } | undefined => {
  const element = target instanceof Element ? target : undefined
  const id = element?.closest('[data-row]')?.getAttribute('data-row')
  if (id === null || id === undefined) return undefined
  const column = element?.closest('[aria-colindex]')?.getAttribute('aria-colindex')
  return { id, column: Number(column ?? 0) - 1 }
}

/** The sentence of a cell is also for who points at it. */
export const showSentence = (target: EventTarget | null): void => {
  const cell = target instanceof Element ? target.closest<HTMLElement>('[data-row] > *') : null
  if (cell !== null) cell.title = cell.ariaLabel ?? ''
}

export const cellClass = <T,>({ column: { align }, index, left }: Drawn<T>): string =>
  [
    s['cell'],
    align === 'end' ? s['end'] : '',
    left === undefined ? '' : index === 0 ? s['first'] : s['at'],
  ]
    .join(' ')
    .trim()
