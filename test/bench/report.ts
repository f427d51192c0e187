// How rows are shown: one JSON object a line for programs, a table for people.
import type { Row } from './measure.ts'
import { isMet, targets } from './targets.ts'

const rounded = (value: number): number => Number(value.toPrecision(4))

export const jsonLine = (row: Row): string =>
  JSON.stringify({ ...row, value: rounded(row.value), ...verdict(row) })

const verdict = ({ name, value }: Row): { target?: number; met?: boolean } => {
  const target = targets[name]
  return target === undefined ? {} : { target: target.limit, met: isMet(name, value) === true }
}

export const heading = `  ${'row'.padEnd(34)}${'value'.padStart(12)}  ${'unit'.padEnd(8)}target`

export const tableLine = (row: Row): string => {
  const target = targets[row.name]
  const met = isMet(row.name, row.value)
  const wanted =
    target === undefined ? '' : `${target.side === 'below' ? '≤' : '>'} ${target.limit}`
  const word = met === undefined ? '' : met ? 'met' : 'MISSED'
  const details = Object.entries(row)
    .filter(([key]) => !['name', 'value', 'unit'].includes(key))
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ')
  const cells = `  ${row.name.padEnd(34)}${String(rounded(row.value)).padStart(12)}  ${row.unit.padEnd(8)}`
  return `${cells}${wanted.padEnd(9)}${word.padEnd(8)}${details}`.trimEnd()
}
