// The parts of a bundle.
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { CliError } from '../errors.ts'

/** One file of the bundle. A failure of `read` is recorded: it is a finding too. */
export interface BundlePart {
  readonly name: string
  /** For the list in README.txt. */
  readonly what: string
  readonly read: () => Promise<string>
}

export interface BundleFile {
  readonly name: string
  readonly text: string
}

/**
 * Reads all parts at once; each failure becomes a line of errors.txt. Everything passes through
 * `redact`.
 */
export const readParts = async (
  parts: readonly BundlePart[],
  { redact, explain }: { redact: (text: string) => string; explain: (error: unknown) => string },
): Promise<{ files: BundleFile[]; errors: string[] }> => {
  const files: BundleFile[] = []
  const errors: string[] = []
  const read = await Promise.all(
    parts.map(async ({ name, read }) => {
      try {
        return { name, text: redact(await read()) }
      } catch (error) {
        return { name, error: redact(explain(error)).replaceAll('\n', ' ') }
      }
    }),
  )
  for (const { name, text, error } of read) {
    if (text === undefined) errors.push(`${name}: ${error}`)
    else files.push({ name, text: text.endsWith('\n') ? text : `${text}\n` })
  }
  return { files, errors }
}

/** Writes a new file, mode 0600, with everything in one folder. CliError when it cannot. */
export const writeArchive = async (
  file: string,
  folder: string,
  files: readonly BundleFile[],
): Promise<void> => {
  const archive = pack()
  // An error of the pipeline ends the entries too; the pipeline reports it.
  const ignore = (): void => undefined
  archive.on('error', ignore)
  for (const { name, text } of files)
    archive.entry({ name: `${folder}/${name}`, mode: 0o600 }, text).on('error', ignore)
  archive.finalize()
  try {
    await pipeline(archive, createGzip(), createWriteStream(file, { flags: 'wx', mode: 0o600 }))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'failed'
    if (code === 'EEXIST') throw new CliError(`${file} exists already: name another file`, 2, error)
    await rm(file, { force: true })
    throw new CliError(`${file} cannot be written (${code})`, 1, error)
  }
}
