// A .tar.gz of texts, written directly to its file, without temporary files.
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { CliError } from '../errors.ts'
import type { BundleFile } from './part.ts'

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
