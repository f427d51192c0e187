// Whether the disk of the data folder can take what is stored next.
import { statfs } from 'node:fs/promises'

/** A write needs its row, its log and some room to tidy up. */
const leastBytes = 16 * 2 ** 20

type Space = (path: string) => Promise<{ readonly bavail: number; readonly bsize: number }>

/** For /readyz. A database server's disk is seen by what it answers. */
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

/** Undefined where there is room; a folder that cannot be asked says nothing. */
export const diskFault = async (
  dataDir: string,
  space: Space = statfs,
): Promise<string | undefined> => {
  const found = await space(dataDir).catch(() => undefined)
  if (found === undefined) return undefined
  const free = found.bavail * found.bsize
  if (free >= leastBytes) return undefined
  return `the disk of ${dataDir} is full (${Math.floor(free / 1024)} KiB left): writes fail`
}
