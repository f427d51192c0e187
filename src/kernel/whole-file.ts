// Files that are there whole or not at all: written beside the place, then given their name.
import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

interface WholeFileOptions {
  /** Exactly this one, whatever the umask. */
  readonly mode: number
  /** Who gets the file; the user of this process where absent. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** False where the file need not outlast a crash of the machine. */
  readonly sync?: boolean
}

type Content = string | Uint8Array

/** Replaces `path`: a reader sees the old file or the new one. Nothing stays of a write that fails. */
export const writeWhole = (
  path: string,
  content: Content,
  options: WholeFileOptions,
): Promise<void> => writeBeside(path, content, options, (temporary) => rename(temporary, path))

/** As writeWhole, but EEXIST where `path` exists: of two that write at once one wins. */
export const createWhole = (
  path: string,
  content: Content,
  options: WholeFileOptions,
): Promise<void> => writeBeside(path, content, options, (temporary) => link(temporary, path))

const writeBeside = async (
  path: string,
  content: Content,
  { mode, owner, sync = true }: WholeFileOptions,
  giveName: (temporary: string) => Promise<void>,
): Promise<void> => {
  const name = `.${basename(path)}.${randomBytes(6).toString('hex')}.new`
  const temporary = join(dirname(path), name)
  const file = await open(temporary, 'wx', 0o600)
  try {
    try {
      await file.writeFile(content)
      if (owner !== undefined) await file.chown(owner.uid, owner.gid)
      // After the owner: a change of owner takes bits of the mode away.
      await file.chmod(mode)
      if (sync) await file.sync()
    } finally {
      await file.close()
    }
    await giveName(temporary)
  } finally {
    // Also what a full disk took of it, which would keep the disk full.
    await rm(temporary, { force: true })
  }
}

/** True where there is no such file or folder. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** The text of a file; undefined where there is none. */
export const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
