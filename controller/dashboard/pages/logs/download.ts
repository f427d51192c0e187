// Saves lines as a text file of the person's machine.
import { plainOf } from './ansi.ts'
import type { Row } from './buffer.ts'

const textOf = (row: Row): string => {
  if (row.kind === 'dropped') return `--- ${row.lines} lines were left out here`
  if (row.kind === 'end') return `--- ${row.error ?? 'end'}`
  const { time, service, text } = row.line
  return `${time} ${service} ${plainOf(text)}`
}

export const download = (name: string, rows: readonly Row[]): void => {
  const blob = new Blob([rows.map((row) => `${textOf(row)}\n`).join('')], { type: 'text/plain' })
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = `${name}.log`
  link.click()
  URL.revokeObjectURL(url)
}
