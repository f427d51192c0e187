// Writes files with an exact mode and owner to a tmpfs.
import { randomUUID } from 'node:crypto'
import { lstat, mkdir, open, readFile, rename, rm, statfs } from 'node:fs/promises'
import type { StackFault } from './allowed-folders.ts'
import type { PlacedFile } from './file-cache.ts'

/** linux/magic.h: TMPFS_MAGIC, RAMFS_MAGIC. */
export const memoryFileSystems: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

const modeBits = 0o7777

/** Makes a folder that only this agent can write to; links are not followed. */
const prepareFolder = async (path: string): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const found = await lstat(path)
  const own = process.geteuid?.() ?? found.uid
  if (!found.isDirectory() || found.uid !== own || (found.mode & 0o022) !== 0)
    throw new Error(`${path} is not a folder that only the agent's user can write to`)
}

const refuseOwner =
  ({ uid, gid }: PlacedFile) =>
  (error: NodeJS.ErrnoException): never => {
    if (error.code !== 'EPERM') throw error
    throw new Error(
      `this agent, as user ${process.geteuid?.() ?? ''}, may give no file the owner ${uid}:${gid}; run it as root, or with a rootless engine leave uid and gid of file secrets at 0`,
    )
  }

/** Writes a file. Its mode and owner are set before it gets its name. */
export const writeWhole = async (path: string, file: PlacedFile): Promise<void> => {
  const temporary = `${path}.${randomUUID()}.new`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(file.value)
    await handle.chown(file.uid, file.gid).catch(refuseOwner(file))
    await handle.chmod(file.mode)
    await handle.close()
    await rename(temporary, path)
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
}

export const isRight = async (path: string, file: PlacedFile): Promise<boolean> => {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isFile() !== true || (found.mode & modeBits) !== file.mode) return false
  if (found.uid !== file.uid || found.gid !== file.gid) return false
  // A container that mounts it for writing may have changed it.
  return found.size === file.value.length && (await readFile(path)).equals(file.value)
}

/** Makes a folder and subfolders. A fault where they are on a disk. */
export const prepareFolders = async (
  [root, ...below]: readonly [string, ...string[]],
  onDisk: boolean,
): Promise<StackFault | undefined> => {
  await prepareFolder(root)
  const { type } = await statfs(root)
  if (!onDisk && !memoryFileSystems.has(type)) {
    const message = `${root} is not on a tmpfs, so a disk would keep file secrets: start the agent with --files-dir on one (such as /dev/shm/stagely), or allow it with --files-on-disk`
    return { reason: 'NoTmpfs', message }
  }
  for (const folder of below) await prepareFolder(folder)
  return undefined
}
