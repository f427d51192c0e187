// File secrets for a local process: in memory only, in a folder that nobody else can enter.
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from '../errors.ts'
import type { Variable } from './environment.ts'

/** File system types in memory (statfs(2)): tmpfs and ramfs. */
const inMemory = new Set([0x01021994, 0x858458f6])

export interface PrivateFile {
  /** Name of the variable with the file's path. */
  readonly variable: string
  readonly key: string
  readonly value: Buffer
}

interface PrivateFiles {
  /** The variables, with the paths as their values. */
  readonly paths: readonly Variable[]
  readonly remove: () => Promise<void>
}

/** CliError when there is no folder in memory: a secret must not be written to a disk. */
export const writePrivateFiles = async (
  files: readonly PrivateFile[],
  folders: readonly string[],
): Promise<PrivateFiles> => {
  if (files.length === 0) return { paths: [], remove: () => Promise.resolve() }
  const folder = await memoryFolder(folders)
  if (folder === undefined) {
    const keys = files.map(({ key }) => key).join(', ')
    throw new CliError(
      `file secrets (${keys}) need a folder in memory, and there is none among ${folders.join(', ')}: leave them out with --without-files`,
    )
  }
  const dir = await mkdtemp(join(folder, 'stagely-run-'))
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true })
  try {
    const paths: Variable[] = []
    for (const { variable, key, value } of files) {
      const path = join(dir, key)
      await writeFile(path, value, { mode: 0o600 })
      paths.push({ name: variable, value: path })
    }
    return { paths, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** The first of these folders that is in memory. */
export const memoryFolder = async (folders: readonly string[]): Promise<string | undefined> => {
  for (const folder of folders) {
    const found = await statfs(folder).catch(() => undefined)
    if (found !== undefined && inMemory.has(found.type)) return folder
  }
  return undefined
}
