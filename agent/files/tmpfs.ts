// Writes files with an exact mode and owner to a tmpfs.
import { lstat, mkdir, readFile, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeWhole } from '../../src/kernel/whole-file.ts'
import { findUnsafe } from '../borders/safe-folder.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import type { PlacedFile } from './file-cache.ts'

/** linux/magic.h: TMPFS_MAGIC, RAMFS_MAGIC. */
export const memoryFileSystems: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** Where nobody but root can put a folder of that name before the agent does. */
export const safeFilesDir = '/run/stagely'

const modeBits = 0o7777

/** Makes a folder that only this agent can write to; links are not followed. */
const prepareFolder = async (path: string): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const found = await lstat(path)
  const own = process.geteuid?.() ?? found.uid
  if (!found.isDirectory() || found.uid !== own || (found.mode & 0o022) !== 0)
    throw new Error(`${path} is not a folder that only the agent's user can write to`)
}

/** Content, mode and owner are exactly these before the file has its name. */
export const placeFile = async (path: string, file: PlacedFile): Promise<void> => {
  const { value, mode, uid, gid } = file
  try {
    await writeWhole(path, value, { mode, owner: { uid, gid }, sync: false })
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (code !== 'EPERM' || syscall !== 'fchown') throw error
    throw new Error(
      `this agent, as user ${process.geteuid?.() ?? ''}, may give no file the owner ${uid}:${gid}; run it as root, or with a rootless engine leave uid and gid of file secrets at 0`,
    )
  }
}

export const isRight = async (path: string, file: PlacedFile): Promise<boolean> => {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isFile() !== true || (found.mode & modeBits) !== file.mode) return false
  if (found.uid !== file.uid || found.gid !== file.gid) return false
  // A container that mounts it for writing may have changed it.
  return found.size === file.value.length && (await readFile(path)).equals(file.value)
}

/** Makes a folder and subfolders. A fault where others could exchange it, or where it is on a disk. */
export const prepareFolders = async (
  [root, ...below]: readonly [string, ...string[]],
  onDisk: boolean,
): Promise<StackFault | undefined> => {
  const unsafe = await findUnsafe(dirname(root))
  if (unsafe !== undefined) {
    const message = `file secrets are not written below --files-dir: ${unsafe}, who could put other files in their place. Give the agent a folder that root or its own user alone can write to: --files-dir ${safeFilesDir}`
    return { reason: 'FilesDirUnsafe', message }
  }
  await prepareFolder(root)
  const { type } = await statfs(root)
  if (!onDisk && !memoryFileSystems.has(type)) {
    const message = `${root} is not on a tmpfs, so a disk would keep file secrets: start the agent with --files-dir on one that only root can write to (such as ${safeFilesDir}), or allow it with --files-on-disk`
    return { reason: 'NoTmpfs', message }
  }
  for (const folder of below) await prepareFolder(folder)
  return undefined
}
