// A table of any number of rows, of which only those in view are drawn; where columns have a size, only those in
// view as well, and the first stays where it is. It is one tab stop: arrows or j k h l move between cells, Home, End,
// PgUp and PgDn go far, Enter opens. The focused cell stays drawn when it is scrolled away, so that neither scrolling
// nor a live change takes the focus.
import { defaultRangeExtractor, type Range, type Virtualizer } from '@tanstack/virtual-core'
import type { ComponentChild } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import {
  cellClass,
  cellOf,
  isControl,
  placed,
  showSentence,
  useDrawnRows,
  type Column,
  type Drawn,
} from './grid-row.tsx'
import s from './grid.module.css'
import { nextCell } from '../text/next-cell.ts'
import { useVirtual } from './use-virtual.ts'

export type { Column } from './grid-row.tsx'

interface Props<T> {
  /** Names the table. */
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly idOf: (row: T) => string
  readonly onOpen?: (row: T, column: string) => void
  /** Another key on a cell. Returns true when it was for this. */
  readonly onKey?: (key: string, row: T, column: string) => boolean
  readonly isCurrent?: (row: T) => boolean
  /** Several rows may be current: a click with Ctrl or ⌘ does what the key `x` does. */
  readonly takesMany?: boolean
  /** A row with a bar at its left: something is staged. */
  readonly isMarked?: (row: T) => boolean
  readonly empty?: ComponentChild
  /** Told when pointer or focus comes in or leaves: rows should not jump meanwhile. */
  readonly onBusy?: (busy: boolean) => void
}

/** Pixels; columns that are `wide` are not drawn in a table that is narrower. */
const narrowBelow = 720

interface Place {
  readonly id: string
  readonly column: string
}

const denseRows = (): boolean => document.documentElement.dataset['density'] === 'dense'

const Head = <T,>({ drawn }: { readonly drawn: readonly Drawn<T>[] }) => (
  <div class={`${s['row']} ${s['head']}`} role="row" aria-rowindex={1}>
    {drawn.map((cell) => (
      <div
        key={cell.column.id}
        role="columnheader"
        aria-colindex={cell.index + 1}
        class={cellClass(cell)}
        style={placed(cell)}
      >
        {cell.column.title}
      </div>
    ))}
  </div>
)

type Virtual = Virtualizer<HTMLElement, HTMLElement>

/** The rows in view, and some that stay drawn out of view. */
const useRange = (indexes: readonly number[]) =>
  useCallback(
    (range: Range) =>
      [
        ...new Set([...defaultRangeExtractor(range), ...indexes.filter((index) => index >= 0)]),
      ].sort((a, b) => a - b),
    [indexes.join()],
  )

const useRows = (count: number, scroller: () => HTMLElement | null, at: Grid) => {
  const virtual = useVirtual({
    count,
    getScrollElement: scroller,
    estimateSize: () => at.height,
    rangeExtractor: useRange([at.found]),
    overscan: at.overscan,
  })
  useEffect(() => {
    virtual.measure()
  }, [at.height])
  return virtual
}

interface Grid {
  readonly height: number
  readonly overscan: number
  /** The row of the focus; -1: it is gone. */
  readonly found: number
}

const pixelsOf = <T,>(column: Column<T> | undefined): number =>
  typeof column?.width === 'number' ? column.width : 0

const useColumns = <T,>(
  columns: readonly Column<T>[],
  scroller: () => HTMLElement | null,
  active: number,
): { across: Virtual; drawn: readonly Drawn<T>[] } => {
  const isSized = pixelsOf(columns[0]) > 0
  const across = useVirtual({
    count: isSized ? columns.length : 0,
    horizontal: true,
    getScrollElement: scroller,
    estimateSize: (index) => pixelsOf(columns[index]),
    rangeExtractor: useRange([0, active]),
    scrollPaddingStart: pixelsOf(columns[0]),
    overscan: 1,
  })
  const sizes = columns.map(({ width }) => width).join()
  useLayoutEffect(() => {
    across.measure()
  }, [sizes])
  const items = isSized ? across.getVirtualItems() : []
  const drawn = useMemo(
    () =>
      isSized
        ? items.flatMap(({ index, start }): Drawn<T>[] => {
            const column = columns[index]
            return column === undefined ? [] : [{ column, index, left: index === 0 ? 0 : start }]
          })
        : columns.map((column, index) => ({ column, index, left: undefined })),
    [columns, sizes, items.map(({ index }) => index).join()],
  )
  return { across, drawn }
}

const sizesOf = <T,>(columns: readonly Column<T>[], height: number): Record<string, string> => {
  const pixels = columns.reduce((sum, column) => sum + pixelsOf(column), 0)
  return {
    '--height': `${height}px`,
    ...(pixels > 0
      ? { '--across': `${pixels}px`, '--tracks': 'none' }
      : { '--tracks': columns.map(({ width }) => width).join(' ') }),
  }
}

export const Grid = <T,>(props: Props<T>) => {
  const { rows, idOf, onOpen, onKey, onBusy } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState<Place>({ id: '', column: '' })
  const wantsFocus = useRef(false)
  // Asked before the page is drawn: a cell that goes loses the focus first.
  const hadFocus = scroller.current?.contains(document.activeElement) === true
  const found = active.id === '' ? -1 : rows.findIndex((row) => idOf(row) === active.id)
  const activeRow = Math.max(found, 0)
  const height = denseRows() ? 28 : 36
  const isSized = pixelsOf(props.columns[0]) > 0
  const overscan = isSized ? 3 : 8
  const virtual = useRows(rows.length, () => scroller.current, { height, found, overscan })
  const isNarrow = (virtual.scrollRect?.width ?? narrowBelow) < narrowBelow
  const columns = useMemo(
    () => (isNarrow ? props.columns.filter(({ wide }) => wide !== true) : props.columns),
    [props.columns, isNarrow],
  )
  const draw = useDrawnRows<T>()
  const activeColumn = Math.max(
    columns.findIndex(({ id }) => id === active.column),
    0,
  )
  const { across, drawn } = useColumns(columns, () => scroller.current, activeColumn)
  useLayoutEffect(() => {
    // A cell that is no more drawn takes the focus with it.
    const isLost = hadFocus && document.activeElement === document.body
    if (!wantsFocus.current && !isLost) return
    wantsFocus.current = false
    scroller.current?.querySelector<HTMLElement>('[data-active]')?.focus({ preventScroll: true })
  })
  const goTo = (row: number, column: number): void => {
    const [target, to] = [rows[row], columns[column]]
    if (target === undefined || to === undefined) return
    wantsFocus.current = true
    virtual.scrollToIndex(row)
    if (pixelsOf(to) > 0 && column > 0) across.scrollToIndex(column)
    setActive({ id: idOf(target), column: to.id })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || isField(event.target)) return
    const key = `${event.ctrlKey || event.metaKey ? 'Mod+' : ''}${event.key}`
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 2)
    const next = nextCell(
      key,
      { row: activeRow, column: activeColumn },
      { rows: rows.length, columns: columns.length, page },
    )
    const row = rows[activeRow]
    const at = columns[activeColumn]?.id ?? ''
    if (next !== undefined) goTo(next.row, next.column)
    else if (row === undefined) return
    else if (key === 'Enter' && onOpen !== undefined && isCell(event.target)) onOpen(row, at)
    else if (onKey?.(key, row, at) !== true) return
    event.preventDefault()
  }
  /** The cell becomes the tab stop. */
  const activate = (target: EventTarget | null): { row: T; column: string } | undefined => {
    const cell = cellOf(target)
    const column = columns[cell === undefined || cell.column < 0 ? activeColumn : cell.column]?.id
    const row = rows.find((candidate) => idOf(candidate) === cell?.id)
    if (cell === undefined || column === undefined || row === undefined) return undefined
    if (active.id !== cell.id || active.column !== column) setActive({ id: cell.id, column })
    return { row, column }
  }
  return (
    <div
      class={`${s['scroller']} ${isSized ? s['sized'] : ''}`}
      ref={scroller}
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-multiselectable={props.takesMany}
      onKeyDown={onKeyDown}
      onPointerEnter={() => onBusy?.(true)}
      onPointerLeave={() => onBusy?.(false)}
      onPointerOver={(event) => showSentence(event.target)}
      onClick={(event) => {
        if (isControl(event.target)) return
        const found = activate(event.target)
        if (found === undefined) return
        const { row, column } = found
        if (props.takesMany === true && (event.ctrlKey || event.metaKey)) onKey?.('x', row, column)
        else onOpen?.(row, column)
      }}
      onFocusIn={(event) => {
        onBusy?.(true)
        if (isCell(event.target)) activate(event.target)
      }}
      onFocusOut={() => onBusy?.(false)}
      style={sizesOf(columns, height)}
    >
      <Head drawn={drawn} />
      {rows.length === 0 ? (
        <div role="row" class={s['nothing']}>
          <div role="gridcell">{props.empty ?? 'No rows.'}</div>
        </div>
      ) : (
        <div class={s['rows']} role="rowgroup" style={{ height: `${virtual.getTotalSize()}px` }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index]
            if (row === undefined) return null
            return draw({
              id: idOf(row),
              row,
              drawn,
              index,
              start,
              active: index === activeRow ? activeColumn : undefined,
              isMarked: props.isMarked?.(row) === true,
              isCurrent: props.isCurrent?.(row) === true,
            })
          })}
        </div>
      )}
    </div>
  )
}

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)

const isCell = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && /^(gridcell|rowheader)$/.test(target.role ?? '')
