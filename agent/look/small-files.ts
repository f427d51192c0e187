// Small files of a folder, the nearest first. Links are not followed, and what is no plain file is not opened.
import { constants } from 'node:fs'
import { lstat, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'

/** Larger files are not looked through. */
const smallFileBytes = 1024 * 1024
/** Files and folders of one root. */
const mostEntries = 50_000

/** Kernel interfaces, and what holds no configuration. */
const passedOver = new Set(['.git', 'node_modules', 'proc', 'sys', 'dev'])

interface SmallFiles {
  /** Absolute paths. */
  paths(): AsyncGenerator<string, void, undefined>
  /** True after `paths`, where not all of the folder was listed. */
  readonly isCut: () => boolean
}

/** `root` may be a file. `isAllowed` is asked for each folder. */
export const smallFiles = (
  root: string,
  isAllowed: (folder: string) => boolean = () => true,
): SmallFiles => {
  let entries = 0
  const isOver = (): boolean => entries > mostEntries
  const paths = async function* (): AsyncGenerator<string, void, undefined> {
    const kind = await lstat(root).catch(() => undefined)
    if (kind?.isFile() === true) yield root
    const waiting = kind?.isDirectory() === true && isAllowed(root) ? [root] : []
    for (let i = 0; i < waiting.length && !isOver(); i++) {
      const folder = waiting[i]!
      const opened = await opendir(folder).catch(() => undefined)
      if (opened === undefined) continue
      for await (const entry of opened) {
        if (++entries > mostEntries) break
        const path = join(folder, entry.name)
        if (entry.isFile()) yield path
        else if (entry.isDirectory() && !passedOver.has(entry.name) && isAllowed(path))
          waiting.push(path)
      }
    }
  }
  return { paths, isCut: isOver }
}

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** undefined for a file that is large, or cannot be read. */
export const readSmallFile = async (path: string): Promise<Buffer | undefined> => {
  const file = await open(path, flags).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const found = await file.stat()
    const { size } = found
    if (!found.isFile() || size > smallFileBytes) return undefined
    const content = Buffer.alloc(size)
    const { bytesRead } = await file.read(content, 0, size, 0)
    return content.subarray(0, bytesRead)
  } catch {
    return undefined
  } finally {
    await file.close()
  }
}
