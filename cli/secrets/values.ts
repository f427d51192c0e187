// Reads a value from stdin, a file, or a prompt without echo. Never from the command line, which every
// user of the machine can read and which the shell stores.
import { readFile } from 'node:fs/promises'
import { entryText } from '../formats/entries.ts'
import { cannot, usageError } from '../errors.ts'
import { askHidden, canAsk } from '../prompt.ts'
import { readStdin } from '../apply/read-manifests.ts'

export interface ValueFlags {
  readonly fromFile?: string
  readonly keepNewline?: boolean
}

/** The API's form: text if the bytes are UTF-8, else base64. */
export const valueAsField = (bytes: Buffer): { value: string } | { valueBase64: string } => {
  const value = entryText(bytes)
  return value === undefined ? { valueBase64: bytes.toString('base64') } : { value }
}

export const readValueFile = (path: string): Promise<Buffer> =>
  path === '-' ? readStdin() : readFile(path).catch(cannot(`read ${path}`))

export const readGivenValue = async (key: string, flags: ValueFlags): Promise<Buffer> => {
  if (flags.fromFile !== undefined && flags.fromFile !== '-') return readValueFile(flags.fromFile)
  if (canAsk()) {
    const typed = await askHidden(`Value of ${key} (not shown): `)
    if (typed === '') throw usageError('no value was typed; for an empty one use --from-file')
    return Buffer.from(typed)
  }
  const bytes = await readStdin()
  // `echo value |` adds a newline that is not meant.
  const end = bytes.at(-1) !== 10 ? bytes.length : bytes.at(-2) === 13 ? -2 : -1
  const value = flags.keepNewline === true ? bytes : bytes.subarray(0, end)
  // Probably a failed command before the pipe, and not an intended empty secret.
  if (value.length === 0)
    throw usageError('no value came on stdin; for an empty one use --from-file')
  return value
}

/** KEY=VALUE and --value are what people try first; the message repeats neither. */
export const refuseArgv = (key: string, value: string | undefined): void => {
  if (!key.includes('=') && value === undefined) return
  throw usageError(
    'a value does not belong on the command line, where other users and the shell history see it: give it on stdin, with --from-file, or at the prompt',
  )
}
