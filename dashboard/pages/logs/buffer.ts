// The lines that a page keeps: the newest 20,000 in the order of their time, and of them those that hold the searched
// text. Pure.
import { plainOf } from './ansi.ts'
import type { ShownLogLine, LogEntry } from './record.ts'

export type LogRow = {
  readonly at: number
  /** By this rows are in order: the time of the line; lines of one container stay as they came. */
  readonly order: string
} & (
  | { readonly kind: 'line'; readonly line: ShownLogLine }
  | { readonly kind: 'dropped'; readonly lines: number }
  | { readonly kind: 'end'; readonly error: string | undefined }
)

export interface LogBuffer {
  /** What is shown, oldest first. */
  readonly shown: () => readonly LogRow[]
  readonly kept: () => number
  /** Returns how many shown rows went away at the top, and how many came at the bottom. */
  readonly add: (records: readonly LogEntry[]) => { readonly gone: number; readonly came: number }
  /** Shows lines with this text only, in any case; marks of dropped lines stay. */
  readonly filter: (text: string) => void
  readonly clear: () => void
}

const rowOf = (record: LogEntry, at: number, order: string): LogRow => {
  if (record.type === 'line') return { at, order, kind: 'line', line: record }
  return record.type === 'dropped'
    ? { at, order, kind: 'dropped', lines: record.lines }
    : { at, order, kind: 'end', error: record.error }
}

const later = (a: string, b: string): string => (a < b ? b : a)

/** What the order of the next record is: marks come after all that is known. */
const createOrder = () => {
  const ofContainer = new Map<string, string>()
  let newest = ''
  return (record: LogEntry): string => {
    if (record.type !== 'line') return newest
    const order = later(record.time, ofContainer.get(record.container) ?? '')
    ofContainer.set(record.container, order)
    newest = later(newest, order)
    return order
  }
}

/** Both are in order; of equal ones those that are there already come first. */
const merged = (before: readonly LogRow[], rows: readonly LogRow[]): LogRow[] => {
  const first = rows[0]
  if (first === undefined) return [...before]
  let from = before.length
  while (from > 0 && before[from - 1]!.order > first.order) from -= 1
  const mixed = [...before.slice(from), ...rows].sort((a, b) =>
    a.order < b.order ? -1 : a.order > b.order ? 1 : a.at - b.at,
  )
  return [...before.slice(0, from), ...mixed]
}

export const createLogBuffer = (most = 20_000): LogBuffer => {
  let lines: LogRow[] = []
  let shown: LogRow[] = []
  let wanted = ''
  let lastId = 0
  let orderOf = createOrder()
  const isShown = (row: LogRow): boolean =>
    wanted === '' ||
    row.kind !== 'line' ||
    row.line.service.toLowerCase() === wanted ||
    plainOf(row.line.text).toLowerCase().includes(wanted)
  return {
    shown: () => shown,
    kept: () => lines.length,
    add: (records) => {
      const rows = records
        .slice(-most)
        .map((record) => rowOf(record, lastId++, orderOf(record)))
        .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
      const all = merged(lines, rows)
      const left = new Set(all.slice(0, Math.max(0, all.length - most)).map(({ at }) => at))
      const gone = shown.filter(({ at }) => left.has(at)).length
      const came = rows.filter((row) => !left.has(row.at) && isShown(row))
      lines = all.slice(left.size)
      shown = merged(shown.slice(gone), came)
      return { gone, came: came.length }
    },
    filter: (text) => {
      wanted = text.toLowerCase()
      shown = lines.filter(isShown)
    },
    clear: () => {
      lines = []
      shown = []
      orderOf = createOrder()
    },
  }
}
