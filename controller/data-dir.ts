// The data folder. Only its owner has access. It holds the embedded database, and files for people.
import { lchown, lstat, readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, StagelyError } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { makePrivate } from '../src/kernel/private-folder.ts'
import { createWhole } from '../src/kernel/whole-file.ts'
import { ConfigError } from './config-error.ts'

const ourNames = new Set(['postgres', 'master.key', 'admin-token', 'ca.crt'])

/** Creates the folder, or removes the access of others from an existing one and logs that. */
export const prepareControllerDataDir = async (dir: string, log: Logger): Promise<void> => {
  try {
    if (await makePrivate(dir, ourNames))
      log.warn(
        { dataDir: dir },
        'the data folder was open to other users; it is closed to them now',
      )
  } catch (error) {
    if (error instanceof StagelyError) throw new ConfigError([error.message])
    throw new ConfigError([`--data-dir ${dir} cannot be used: ${messageOf(error)}`])
  }
}

/** Owner of the folder, when this process is root and the owner is not. */
const otherOwner = async (dir: string): Promise<{ uid: number; gid: number } | undefined> => {
  if (process.geteuid?.() !== 0) return undefined
  const { uid, gid } = await stat(dir)
  return uid === 0 ? undefined : { uid, gid }
}

/**
 * For long-running commands. ConfigError when root would create files that the service, which owns the
 * folder, could not open.
 */
export const refuseRoot = async (dir: string): Promise<void> => {
  const owner = await otherOwner(dir)
  if (owner === undefined) return
  throw new ConfigError([
    `--data-dir ${dir} belongs to user ${owner.uid}, and what root writes there that user cannot open: run the controller as that user (systemctl start stagely-controller)`,
  ])
}

/** For commands that root runs once: files that root creates in the folder are given to its owner. */
export const keepOwner = async <T>(dir: string, work: () => Promise<T>): Promise<T> => {
  const owner = await otherOwner(dir)
  if (owner === undefined) return work()
  try {
    return await work()
  } finally {
    for (const name of await readdir(dir, { recursive: true })) {
      const path = join(dir, name)
      const found = await lstat(path)
      // A hard link to a file elsewhere may not be ours.
      if (found.uid === 0 && (found.isDirectory() || found.nlink === 1))
        await lchown(path, owner.uid, owner.gid)
    }
  }
}

/** At least as hard to guess as a token that the controller makes: `sat_` and 32 characters or more. */
const adminTokenPattern = /^sat_[A-Za-z0-9_-]{32,256}$/

/**
 * The first admin's token, read from a file; undefined when no file is configured. ConfigError when it
 * is unusable.
 */
export const readAdminToken = async (file: string | undefined): Promise<string | undefined> => {
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigError([`STAGELY_ADMIN_TOKEN_FILE ${file} cannot be read: ${messageOf(error)}`])
  })
  const token = text.trim()
  if (adminTokenPattern.test(token)) return token
  throw new ConfigError([
    `STAGELY_ADMIN_TOKEN_FILE ${file} must hold sat_ and at least 32 letters or digits; make one with: echo sat_$(openssl rand -hex 24)`,
  ])
}

/**
 * Creates the file unless it exists, and returns its content. Of two concurrent starts both get the
 * same content: link() fails when the name exists.
 */
export const createOnce = async (path: string, content: string): Promise<string> => {
  await createWhole(path, content, { mode: 0o600 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
  return readFile(path, 'utf8')
}
