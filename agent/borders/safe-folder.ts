// Finds whether somebody else could exchange a folder of the agent, or put a link in its place.
import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { wayOf } from './way.ts'

const sticky = 0o1000

/** The folder and all above it, the nearest to `/` first. */
const foldersTo = (path: string): string[] =>
  path === dirname(path) ? [path] : [...foldersTo(dirname(path)), path]

/** What is unsafe of the way to `folder`, and of itself where it exists; undefined where only root and this user can change it. */
export const findUnsafe = async (folder: string): Promise<string | undefined> => {
  const { links, real } = await wayOf(folder)
  const own = process.geteuid?.() ?? 0
  for (const path of new Set([...links.map(dirname), real].flatMap(foldersTo))) {
    const found = await lstat(path).catch(() => undefined)
    if (found === undefined) continue
    if (found.uid !== 0 && found.uid !== own) return `${path} belongs to user ${found.uid}`
    // Where the folder is sticky, others can neither move nor replace what is not theirs.
    if ((found.mode & 0o022) !== 0 && (found.mode & sticky) === 0)
      return `${path} can be written by other users`
  }
  return undefined
}
