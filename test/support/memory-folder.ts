// Where databases of tests lie that are about no disk: in memory, where to make, copy and drop their files
// costs a third, and to sync them nothing.
import { accessSync, constants, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** Bytes for all of one run. */
const wanted = 4 * 1024 ** 3

const hasRoom = (folder: string): boolean => {
  try {
    accessSync(folder, constants.W_OK)
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize >= wanted
  } catch {
    return false
  }
}

/** The folder of temporary files where the machine has no such memory, as in most containers. */
export const memoryFolder = hasRoom('/dev/shm') ? '/dev/shm' : tmpdir()
