// A folder of a user's as it is on the disk, to be compared with what it was.
import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Everything below a folder, one line each: path, mode, owner, times and content. '' is the folder itself. */
export const treeOf = async (folder: string): Promise<string[]> => {
  const names = (await readdir(folder, { recursive: true })).sort()
  return Promise.all(
    ['', ...names].map(async (name) => {
      const path = join(folder, name)
      const s = await lstat(path)
      const content = s.isFile()
        ? createHash('sha256')
            .update(await readFile(path))
            .digest('hex')
        : s.isSymbolicLink()
          ? await readlink(path)
          : ''
      return `${name} ${s.mode} ${s.uid} ${s.gid} ${s.mtimeMs} ${s.ctimeMs} ${content}`
    }),
  )
}

/** Lines that only one of the two has: `+` is new, `-` is gone. */
export const treeChanges = (before: readonly string[], after: readonly string[]): string[] => [
  ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
]
