// Saves lines as a text file of the person's machine.
import { saveFile } from '../../ui/save-file.ts'
import { plainOf } from './ansi.ts'
import type { LogRow } from './buffer.ts'

const textOf = (row: LogRow): string => {
  if (row.kind === 'dropped') return `--- ${row.lines} lines were left out here`
  if (row.kind === 'end') return `--- ${row.error ?? 'end'}`
  const { time, service, text } = row.line
  return `${time} ${service} ${plainOf(text)}`
}

export const download = (name: string, rows: readonly LogRow[]): void =>
  saveFile(`${name}.log`, rows.map((row) => `${textOf(row)}\n`).join(''))
