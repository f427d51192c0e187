// A backup: gzip of lines of JSON. The first is the header; then, for each table, a line that names
// it and one for each row, as the database writes it; the last holds the number of rows and the
// SHA-256 of all before it. Values are in it as they are stored: sealed.
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import * as z from 'zod'
import { messageOf, StagelyError } from '../../kernel/errors.ts'

const headerSchema = z.object({
  /** Version of this format. */
  stagelyBackup: z.literal(1),
  takenAt: z.string(),
  /** Names of the migrations that made the schema. */
  schema: z.array(z.string()),
  epoch: z.int(),
  resourceVersion: z.int(),
  /** Prefixes of what is wrapped in it: the master keys that it needs. */
  keys: z.array(z.string()),
})
export type BackupHeader = z.infer<typeof headerSchema>

const endSchema = z.object({ end: z.literal(true), rows: z.int(), sha256: z.string() })
const tableSchema = z.object({ table: z.string(), columns: z.array(z.string()) })

interface BackupLine {
  readonly table: string
  readonly columns: readonly string[]
  /** Rows of this table, as JSON text. */
  readonly rows: readonly string[]
}

export const addLine = (hash: Hash, line: string): string => {
  hash.update(line).update('\n')
  return `${line}\n`
}

const damaged = (path: string, why: string): StagelyError =>
  new StagelyError('BadRequest', `${path} is not a whole backup of Stagely: ${why}`)

const rowsAtOnce = 200
const bytesAtOnce = 4_194_304

/** Only the last line proves the lines before it: read the whole file once before any line is used. */
export class BackupReader {
  readonly #path: string
  header: BackupHeader | undefined
  rows = 0
  sha256 = ''

  constructor(path: string) {
    this.#path = path
  }

  /** Throws BadRequest for a file that is cut off, changed, or of another format. */
  async *read(): AsyncGenerator<BackupLine> {
    const file = createReadStream(this.#path)
    const unzipped = createGunzip()
    file.on('error', (error) => unzipped.destroy(error))
    const lines = createInterface({ input: file.pipe(unzipped), crlfDelay: Infinity })
    const failed: { why?: string } = {}
    unzipped.on('error', (error) => {
      failed.why = messageOf(error)
      lines.close()
    })
    try {
      yield* this.#parse(lines, failed)
    } catch (error) {
      // A stream that breaks: the file is not there, not gzip, or cut off.
      throw error instanceof StagelyError ? error : damaged(this.#path, messageOf(error))
    } finally {
      lines.close()
      file.destroy()
    }
  }

  async *#parse(
    lines: AsyncIterable<string>,
    failed: { why?: string },
  ): AsyncGenerator<BackupLine> {
    const hash = createHash('sha256')
    let [table, columns, rows, bytes] = ['', [] as string[], [] as string[], 0]
    let ended = false
    for await (const line of lines) {
      if (ended) throw damaged(this.#path, 'it goes on after its end')
      if (this.header === undefined) this.header = this.#decode(headerSchema, line)
      else if (line.startsWith('{"end":')) {
        const end = this.#decode(endSchema, line)
        this.sha256 = hash.digest('hex')
        if (end.sha256 !== this.sha256 || end.rows !== this.rows)
          throw damaged(this.#path, 'its checksum does not match')
        ended = true
        break
      } else if (line.startsWith('{"table":')) {
        if (rows.length > 0) yield { table, columns, rows }
        ;({ table, columns } = this.#decode(tableSchema, line))
        rows = []
        bytes = 0
      } else {
        rows.push(line)
        bytes += line.length
        this.rows++
      }
      hash.update(line).update('\n')
      if (rows.length >= rowsAtOnce || bytes >= bytesAtOnce) {
        yield { table, columns, rows }
        rows = []
        bytes = 0
      }
    }
    if (!ended) throw damaged(this.#path, failed.why ?? 'it is cut off')
    if (rows.length > 0) yield { table, columns, rows }
  }

  #decode<T>(schema: z.ZodType<T>, line: string): T {
    try {
      return schema.parse(JSON.parse(line))
    } catch {
      throw damaged(
        this.#path,
        this.header === undefined ? 'its header cannot be read' : 'a line cannot be read',
      )
    }
  }
}
