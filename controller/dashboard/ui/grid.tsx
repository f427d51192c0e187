// A table of any number of rows, of which only those in view are drawn. It is one tab stop: arrows or j k h l
// move between cells, Home, End, PgUp and PgDn go far, Enter opens. The focused cell stays drawn when it is
// scrolled away, so that neither scrolling nor a live change takes the focus.
import { defaultRangeExtractor, type Range } from '@tanstack/virtual-core'
import type { ComponentChild } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import s from './grid.module.css'
import { moved } from './moved.ts'
import { useVirtual } from './use-virtual.ts'

export interface Column<T> {
  readonly id: string
  readonly title: ComponentChild
  /** Width as a track of a CSS grid: `minmax(200px, 2fr)`. */
  readonly width: string
  readonly render: (row: T) => ComponentChild
  /** Not shown where the table is narrow. */
  readonly wide?: boolean
  readonly align?: 'end'
}

interface Props<T> {
  /** Names the table. */
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly idOf: (row: T) => string
  readonly onOpen?: (row: T) => void
  /** Another key on a row. Returns true when it was for this. */
  readonly onKey?: (key: string, row: T) => boolean
  readonly isCurrent?: (row: T) => boolean
  /** A row with a bar at its left: something is staged. */
  readonly isMarked?: (row: T) => boolean
  readonly rowHeight?: number
  readonly empty?: ComponentChild
  /** Told when pointer or focus comes in or leaves: rows should not jump meanwhile. */
  readonly onBusy?: (busy: boolean) => void
}

/** Pixels; columns that are `wide` are not drawn in a table that is narrower. */
const narrowBelow = 720

interface Place {
  readonly id: string
  readonly column: number
}

const denseRows = (): boolean => document.documentElement.dataset['density'] === 'dense'

interface RowProps<T> {
  readonly grid: Props<T>
  readonly columns: readonly Column<T>[]
  readonly row: T
  readonly index: number
  readonly start: number
  /** The column whose cell is the tab stop; undefined: it is in another row. */
  readonly column: number | undefined
  readonly onActive: (place: Place) => void
}

const isControl = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('a, button, input, label') !== null

const Row = <T,>({ grid, columns, row, index, start, column, onActive }: RowProps<T>) => {
  const id = grid.idOf(row)
  const isMarked = grid.isMarked?.(row) === true
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={grid.isCurrent?.(row) === true}
      data-row={id}
      class={`${s['row']} ${s['body']} ${isMarked ? s['marked'] : ''}`}
      style={{ transform: `translateY(${start}px)` }}
      onClick={(event) => {
        if (isControl(event.target)) return
        onActive({ id, column: column ?? 0 })
        grid.onOpen?.(row)
      }}
    >
      {columns.map((one, at) => (
        <div
          key={one.id}
          role="gridcell"
          aria-colindex={at + 1}
          class={cellClass(one)}
          tabIndex={at === column ? 0 : -1}
          {...(at === column ? { 'data-active': '' } : {})}
          onFocus={() => {
            onActive({ id, column: at })
          }}
        >
          {one.render(row)}
        </div>
      ))}
    </div>
  )
}

const Head = <T,>({ columns }: Pick<Props<T>, 'columns'>) => (
  <div class={`${s['row']} ${s['head']}`} role="row" aria-rowindex={1}>
    {columns.map((column, index) => (
      <div key={column.id} role="columnheader" aria-colindex={index + 1} class={cellClass(column)}>
        {column.title}
      </div>
    ))}
  </div>
)

export const Grid = <T,>(props: Props<T>) => {
  const { rows, idOf, onOpen, onKey, onBusy } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState<Place>({ id: '', column: 0 })
  const wantsFocus = useRef(false)
  // Asked before the page is drawn: a cell that goes loses the focus first.
  const hadFocus = scroller.current?.contains(document.activeElement) === true
  const found = rows.findIndex((row) => idOf(row) === active.id)
  const activeRow = Math.max(found, 0)
  const height = props.rowHeight ?? (denseRows() ? 28 : 36)
  const rangeExtractor = useCallback(
    (range: Range) => {
      const seen = defaultRangeExtractor(range)
      return found < 0 || seen.includes(found) ? seen : [...seen, found].sort((a, b) => a - b)
    },
    [found],
  )
  const virtual = useVirtual({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (index) => {
      const row = rows[index]
      return row === undefined ? index : idOf(row)
    },
    rangeExtractor,
    overscan: 8,
  })
  useEffect(() => {
    virtual.measure()
  }, [height])
  const isNarrow = (virtual.scrollRect?.width ?? narrowBelow) < narrowBelow
  const columns = isNarrow ? props.columns.filter(({ wide }) => wide !== true) : props.columns
  const activeColumn = Math.min(active.column, columns.length - 1)
  useLayoutEffect(() => {
    // A cell that is no more drawn takes the focus with it.
    const isLost = hadFocus && document.activeElement === document.body
    if (!wantsFocus.current && !isLost) return
    wantsFocus.current = false
    scroller.current?.querySelector<HTMLElement>('[data-active]')?.focus({ preventScroll: true })
  })
  const goTo = (row: number, column: number): void => {
    const target = rows[row]
    if (target === undefined) return
    wantsFocus.current = true
    virtual.scrollToIndex(row)
    setActive({ id: idOf(target), column })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || isField(event.target)) return
    const key = `${event.ctrlKey || event.metaKey ? 'Mod+' : ''}${event.key}`
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 2)
    const next = moved(
      key,
      { row: activeRow, column: activeColumn },
      { rows: rows.length, columns: columns.length, page },
    )
    const row = rows[activeRow]
    if (next !== undefined) goTo(next.row, next.column)
    else if (row === undefined) return
    else if (key === 'Enter' && onOpen !== undefined && isCell(event.target)) onOpen(row)
    else if (onKey?.(key, row) !== true) return
    event.preventDefault()
  }
  return (
    <div
      class={s['scroller']}
      ref={scroller}
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      onKeyDown={onKeyDown}
      onPointerEnter={() => onBusy?.(true)}
      onPointerLeave={() => onBusy?.(false)}
      onFocusIn={() => onBusy?.(true)}
      onFocusOut={() => onBusy?.(false)}
      style={{ '--tracks': columns.map(({ width }) => width).join(' '), '--height': `${height}px` }}
    >
      <Head columns={columns} />
      {rows.length === 0 ? (
        <div role="row" class={s['nothing']}>
          <div role="gridcell">{props.empty ?? 'Nothing.'}</div>
        </div>
      ) : (
        <div class={s['rows']} role="rowgroup" style={{ height: `${virtual.getTotalSize()}px` }}>
          {virtual.getVirtualItems().map(({ index, start, key }) => {
            const row = rows[index]
            if (row === undefined) return null
            const column = index === activeRow ? activeColumn : undefined
            return (
              <Row
                key={key}
                grid={props}
                {...{ columns, row, index, start, column }}
                onActive={setActive}
              />
            )
          })}
        </div>
      )}
    </div>
  )
}

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)

const isCell = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.getAttribute('role') === 'gridcell'

const cellClass = <T,>({ align }: Column<T>): string =>
  `${s['cell']} ${align === 'end' ? s['end'] : ''}`
