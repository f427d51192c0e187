// Folders that hold keys: only their owner has access.
import { access, chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StagelyError } from './errors.ts'

/**
 * Creates `dir` with mode 0700, or removes the access of everybody else from an existing folder.
 * Returns true when an existing folder was open. BadRequest for an open folder that holds other names
 * than `ourNames`: closing `/tmp` or `/var/lib` would break the machine.
 */
export const makePrivate = async (dir: string, ourNames: ReadonlySet<string>): Promise<boolean> => {
  const isNew = await makeFolder(dir)
  const { mode } = await stat(dir)
  const isOpen = (mode & 0o077) !== 0
  if (!isNew && isOpen) await refuseOthers(dir, ourNames)
  if ((mode & 0o7777) !== 0o700) await chmod(dir, 0o700)
  return isOpen
}

/**
 * Creates `dir` and the folders above it. False where it existed. Node's own recursive mkdir never ends
 * where the kernel refuses a name in a folder that exists with ENOENT, as in /proc.
 */
const makeFolder = async (dir: string): Promise<boolean> => {
  const make = (): Promise<boolean> => mkdir(dir, { mode: 0o700 }).then(() => true)
  try {
    return await make()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(dir)).isDirectory()) return false
    const parent = dirname(dir)
    if (code !== 'ENOENT' || parent === dir || (await isThere(parent))) throw error
    await makeFolder(parent)
    return make()
  }
}

export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const refuseOthers = async (dir: string, ourNames: ReadonlySet<string>): Promise<void> => {
  // A separate file system has `lost+found`.
  const names = (await readdir(dir)).filter((name) => !/^(\.|lost\+found$)/.test(name))
  if (names.length === 0 || names.some((name) => ourNames.has(name))) return
  throw new StagelyError(
    'BadRequest',
    `--data-dir ${dir} is open to others and holds what is not Stagely's (${names.slice(0, 3).join(', ')}): name a folder of its own`,
  )
}
