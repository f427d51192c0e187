// The lines that a page keeps: the newest 20,000, and of them those that hold the searched text. Pure.
import { plainOf } from './ansi.ts'
import type { LogLine, LogRecord } from './record.ts'

export type Row = { readonly at: number } & (
  | { readonly kind: 'line'; readonly line: LogLine }
  | { readonly kind: 'dropped'; readonly lines: number }
  | { readonly kind: 'end'; readonly error: string | undefined }
)

export interface LogBuffer {
  /** What is shown, oldest first. */
  readonly shown: () => readonly Row[]
  readonly kept: () => number
  /** Returns how many shown rows went away at the top, and how many came at the bottom. */
  readonly add: (records: readonly LogRecord[]) => { readonly gone: number; readonly came: number }
  /** Shows lines with this text only, in any case; marks of dropped lines stay. */
  readonly filter: (text: string) => void
  readonly clear: () => void
}

const rowOf = (record: LogRecord, at: number): Row => {
  if (record.type === 'line') return { at, kind: 'line', line: record }
  return record.type === 'dropped'
    ? { at, kind: 'dropped', lines: record.lines }
    : { at, kind: 'end', error: record.error }
}

export const createLogBuffer = (most = 20_000): LogBuffer => {
  let kept: Row[] = []
  let shown: Row[] = []
  let wanted = ''
  let made = 0
  const isShown = (row: Row): boolean =>
    wanted === '' ||
    row.kind !== 'line' ||
    row.line.service.toLowerCase() === wanted ||
    plainOf(row.line.text).toLowerCase().includes(wanted)
  return {
    shown: () => shown,
    kept: () => kept.length,
    add: (records) => {
      const rows = records.slice(-most).map((record) => rowOf(record, made++))
      kept = [...kept.slice(Math.max(0, kept.length + rows.length - most)), ...rows]
      const oldest = kept[0]?.at ?? 0
      const stays = shown.findIndex(({ at }) => at >= oldest)
      const gone = stays < 0 ? shown.length : stays
      const came = rows.filter(isShown)
      shown = [...(gone === 0 ? shown : shown.slice(gone)), ...came]
      return { gone, came: came.length }
    },
    filter: (text) => {
      wanted = text.toLowerCase()
      shown = kept.filter(isShown)
    },
    clear: () => {
      kept = []
      shown = []
    },
  }
}
