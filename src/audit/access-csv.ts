// A signed report on access as CSV: its rows, and below them the signed document, in pieces, as the proof. Whoever verifies it
// makes the whole text anew from the proof. Pure.
import { canonicalJson } from '../kernel/canonical-json.ts'
import { tryParseJson } from '../kernel/record.ts'
import type { AccessRow, SignedAccess } from './access-report.ts'

const columns = [
  'row',
  'name',
  'projects',
  'environments',
  'not_in',
  'by',
  'approved_by',
  'reason',
  'secrets',
  'asked_at',
  'approved_at',
  'from',
  'until',
  'uses',
  'state',
  'review',
  'rules',
  'audit',
] as const satisfies readonly (keyof AccessRow)[]

/** A spreadsheet takes a cell that begins so for a formula. */
const formula = /^[=+\-@\t\r\n']/

const cell = (value: string | number | readonly string[] | undefined): string => {
  const text = value === undefined ? '' : Array.isArray(value) ? value.join('; ') : String(value)
  return `"${(formula.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}

const pieces = /.{1,30000}/gs
const proofLine = /^"proof","base64url:([A-Za-z0-9_-]+)"$/gm

export const accessCsv = (signed: SignedAccess): string => {
  const proof = Buffer.from(canonicalJson(signed)).toString('base64url')
  return [
    columns.map((column) => cell(column)),
    ...signed.access.rows.map((row) => columns.map((column) => cell(row[column]))),
    ...(proof.match(pieces) ?? []).map((piece) => [cell('proof'), cell(`base64url:${piece}`)]),
  ]
    .map((cells) => cells.join(','))
    .join('\n')
}

/** The signed document in a CSV; undefined for text that is none. It says what was signed, and not that the rows say the same. */
export const signedInCsv = (text: string): unknown => {
  const proof = [...text.matchAll(proofLine)].map(([, piece]) => piece).join('')
  return proof === '' ? undefined : tryParseJson(Buffer.from(proof, 'base64url').toString())
}
