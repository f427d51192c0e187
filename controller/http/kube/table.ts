// Tables as kubectl prints them: the cells are texts for people, dates such as "28s".
import { columnValue, type PrinterColumn } from '../../../src/resources/columns.ts'
import { lastSeenOf } from '../../../src/kinds/event/schema.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import { findKind } from '../../../src/kinds/index.ts'

export interface ColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

type Wire = Record<string, unknown>

const nameColumn = (priority: number): ColumnDefinition => ({
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object.',
  priority,
})

/** An Event's name is of no use to people, so it is the last column, only with `-o wide`. */
const nameComesLast = (kind: Kind): boolean => kind.kind === 'Event'

export const columnDefinitions = (kind: Kind): ColumnDefinition[] => {
  const columns = kind.columns.map(({ name, type, description, priority = 0 }) => ({
    name,
    type,
    format: '',
    description,
    priority,
  }))
  return nameComesLast(kind) ? [...columns, nameColumn(1)] : [nameColumn(0), ...columns]
}

/** A time of an object (ms), shown as how long ago it was. */
class Since {
  readonly at: number

  constructor(at: number) {
    this.at = at
  }
}

const cellsOf = (kind: Kind, object: Wire): unknown[] => {
  const name = columnValue(object, '.metadata.name')
  const cells = kind.columns.map((column) => cellOf(kind, column, object))
  return nameComesLast(kind) ? [...cells, name] : [name, ...cells]
}

const cellOf = (kind: Kind, column: PrinterColumn, object: Wire): unknown => {
  if (kind.kind === 'Event' && column.jsonPath === '.involvedObject.name') return involved(object)
  const value =
    kind.kind === 'Event' && column.jsonPath === '.lastTimestamp'
      ? lastSeenOf(object)
      : columnValue(object, column.jsonPath)
  if (column.type !== 'date') return value
  const time = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isNaN(time) ? null : new Since(time)
}

/** JSON of a row but for its durations, which stand between the parts. */
export interface RowText {
  readonly parts: readonly string[]
  readonly times: readonly number[]
}

/** `object` in its wire form; `shown` is the JSON text of the row's object. */
export const rowTextOf = (kind: Kind, object: Wire, shown: string): RowText => {
  const parts: string[] = []
  const times: number[] = []
  let part = '{"cells":['
  for (const [i, cell] of cellsOf(kind, object).entries()) {
    if (i > 0) part += ','
    if (cell instanceof Since) {
      parts.push(part)
      times.push(cell.at)
      part = ''
    } else part += JSON.stringify(cell)
  }
  parts.push(`${part}],"object":${shown}}`)
  return { parts, times }
}

/** `now` in ms since the epoch. */
export const rowAt = ({ parts, times }: RowText, now: number): string => {
  let text = parts[0] ?? ''
  for (const [i, time] of times.entries())
    text += `"${humanDuration(now - time)}"${parts[i + 1] ?? ''}`
  return text
}

const involved = (event: Wire): string => {
  const { kind, name } = (event['involvedObject'] ?? {}) as { kind?: string; name?: string }
  return `${findKind(kind ?? '')?.singular ?? kind ?? ''}/${name ?? ''}`
}

const minute = 60
const hour = 3_600
const day = 86_400
const year = 365 * day

const two = (whole: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`

/** Durations in kubectl's format: 119s, 2m3s, 59m, 3h2m, 47h, 7d4h, 300d, 2y40d. */
export const humanDuration = (ms: number): string => {
  const s = Math.floor(ms / 1000)
  if (s < -1) return '<invalid>'
  if (s < 0) return '0s'
  if (s < 2 * minute) return `${s}s`
  const floor = (unit: number): number => Math.floor(s / unit)
  if (s < 10 * minute) return two(floor(minute), 'm', s % minute, 's')
  if (s < 3 * hour) return `${floor(minute)}m`
  if (s < 8 * hour) return two(floor(hour), 'h', floor(minute) % 60, 'm')
  if (s < 2 * day) return `${floor(hour)}h`
  if (s < 8 * day) return two(floor(day), 'd', floor(hour) % 24, 'h')
  if (s < 2 * year) return `${floor(day)}d`
  if (s < 8 * year) return two(floor(year), 'y', floor(day) % 365, 'd')
  return `${floor(year)}y`
}
