// Values that the first Stagely sealed: base64 of a 12-byte nonce, AES-256-GCM ciphertext and tag,
// without associated data.
import * as z from 'zod'
import { defined } from '../../src/kernel/defined.ts'
import { openLegacy } from '../../src/secrets/aead.ts'
import { CliError } from '../errors.ts'
import type { Entry, ParsedEntries } from './entries.ts'
import type { LineFault } from '../../src/formats/dotenv.ts'

/** Columns of the first Stagely's `secrets` table. */
const rowSchema = z.object({
  key: z.string(),
  encrypted_value: z.string(),
  scope: z.string().optional(),
  secret_type: z.enum(['env', 'file']).optional(),
  file_path: z.string().nullish(),
  file_permissions: z.string().nullish(),
})

/** 32 bytes, raw or as base64; CliError for anything else. */
export const parseSeedKey = (bytes: Buffer): Buffer => {
  if (bytes.length === 32) return bytes
  const key = Buffer.from(bytes.toString('latin1').trim(), 'base64')
  if (key.length === 32) return key
  throw new CliError('the key file must hold 32 bytes, raw or as base64 (STAGELY_SECRET_KEY)')
}

/** undefined for a wrong key or a changed ciphertext. */
export const openSeedCiphertext = (ciphertext: string, key: Buffer): Buffer | undefined => {
  try {
    return openLegacy(ciphertext, key)
  } catch {
    return undefined
  }
}

/** A JSON array of rows, as `SELECT json_agg(secrets) FROM secrets` prints it. */
export const parseSeedRows = (text: string, key: Buffer): ParsedEntries => {
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch {
    return { entries: [], faults: [{ where: 'file', message: 'is not valid JSON' }] }
  }
  if (!Array.isArray(rows)) {
    return { entries: [], faults: [{ where: 'file', message: 'must be an array of rows' }] }
  }
  const entries: Entry[] = []
  const faults: LineFault[] = []
  for (const [index, row] of rows.entries()) {
    const where = `row ${index + 1}`
    const opened = openRow(row, where, key)
    if ('message' in opened) faults.push(opened)
    else entries.push(opened)
  }
  return { entries, faults }
}

const openRow = (row: unknown, where: string, key: Buffer): Entry | LineFault => {
  const { data, error } = rowSchema.safeParse(row)
  if (error !== undefined) {
    const fields = error.issues.map(({ path }) => path.join('.')).join(', ')
    return { where, message: `is no row of the secrets table (${fields})` }
  }
  const value = openSeedCiphertext(data.encrypted_value, key)
  if (value === undefined) {
    return { where, message: `${data.key} does not open: another key, or a changed ciphertext` }
  }
  const fields = {
    type: data.secret_type,
    file_path: data.file_path ?? undefined,
    file_permissions: data.file_permissions ?? undefined,
  }
  return {
    key: data.key,
    value,
    where,
    ...defined({ scope: data.scope }),
    fields,
  }
}
