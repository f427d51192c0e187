// Folders that hold keys: only their owner has access.
import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { StagelyError } from './errors.ts'

/**
 * Creates `dir` with mode 0700, or removes the access of everybody else from an existing folder.
 * Returns true when an existing folder was open. BadRequest for an open folder that holds other names
 * than `ourNames`: closing `/tmp` or `/var/lib` would break the machine.
 */
export const makePrivate = async (dir: string, ourNames: ReadonlySet<string>): Promise<boolean> => {
  const made = await mkdir(dir, { recursive: true, mode: 0o700 })
  const { mode } = await stat(dir)
  const isOpen = (mode & 0o077) !== 0
  if (made === undefined && isOpen) await refuseOthers(dir, ourNames)
  if ((mode & 0o7777) !== 0o700) await chmod(dir, 0o700)
  return isOpen
}

const refuseOthers = async (dir: string, ourNames: ReadonlySet<string>): Promise<void> => {
  // A separate file system has `lost+found`.
  const names = (await readdir(dir)).filter((name) => !/^(\.|lost\+found$)/.test(name))
  if (names.length === 0 || names.some((name) => ourNames.has(name))) return
  throw new StagelyError(
    'BadRequest',
    `--data-dir ${dir} is open to others and holds what is not Stagely's (${names.slice(0, 3).join(', ')}): name a folder of its own`,
  )
}
