// Folders with keys in them: nobody but their owner gets in.
import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { StagelyError } from './errors.ts'

/**
 * Makes `dir` where there is none. Of one that is there everybody else's access is taken away; returns
 * whether that was so. BadRequest where it is open and holds nothing named in `ourNames` but other things:
 * to close `/tmp` or `/var/lib` would stop the machine.
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
  // A disk of its own has `lost+found`.
  const names = (await readdir(dir)).filter((name) => !/^(\.|lost\+found$)/.test(name))
  if (names.length === 0 || names.some((name) => ourNames.has(name))) return
  throw new StagelyError(
    'BadRequest',
    `--data-dir ${dir} is open to others and holds what is not Stagely's (${names.slice(0, 3).join(', ')}): name a folder of its own`,
  )
}
