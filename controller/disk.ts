// Checks whether the disk of the data folder has room for the next write.
import { statfs } from 'node:fs/promises'

/** Room for a write's row, its log and compaction. */
const minBytes = 16 * 2 ** 20

type Space = (path: string) => Promise<{ readonly bavail: number; readonly bsize: number }>

/** The check for /readyz. A database server reports a full disk itself. */
export const watchDisk =
  ({
    dataDir,
    databaseUrl,
  }: {
    readonly dataDir: string
    readonly databaseUrl?: string | undefined
  }) =>
  (): Promise<string | undefined> =>
    databaseUrl === undefined ? diskFault(dataDir) : Promise.resolve(undefined)

/** undefined when there is room, and when the folder cannot be checked. */
export const diskFault = async (
  dataDir: string,
  space: Space = statfs,
): Promise<string | undefined> => {
  const found = await space(dataDir).catch(() => undefined)
  if (found === undefined) return undefined
  const free = found.bavail * found.bsize
  if (free >= minBytes) return undefined
  return `the disk of ${dataDir} is full (${Math.floor(free / 1024)} KiB left): writes fail`
}
