// Doctor: checks the agent's user and folders.
import { access, constants, readFile, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { findUnsafe } from '../borders/safe-folder.ts'
import { memoryFileSystems, safeFilesDir } from '../files/tmpfs.ts'
import type { AgentConfig } from '../config.ts'
import { codeOf, failedCheck, ok, warning, type DoctorCheck } from './check.ts'

const leastFreeBytes = 100 * 1024 * 1024

const checkUser = (uid: number): DoctorCheck =>
  uid === 0
    ? ok('user', 'root')
    : warning('user', `user ${uid}, who can give file secrets no other owner`, 'where file secrets have a uid or gid, use an engine of root and run the agent as root') // prettier-ignore

/** The folder, or the nearest one above it that exists. */
const nearest = async (path: string): Promise<string> => {
  for (let folder = path; ; folder = dirname(folder)) {
    if (folder === '/' || (await access(folder).then(() => true, () => false))) return folder // prettier-ignore
  }
}

const checkDataDir = async (dataDir: string): Promise<DoctorCheck> => {
  const name = 'data-dir'
  const folder = await nearest(dataDir)
  try {
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    return failedCheck(name, `${folder} cannot be written (${codeOf(error) ?? 'failed'})`, 'run it as the user of the agent, or choose another --data-dir') // prettier-ignore
  }
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < leastFreeBytes)
    return failedCheck(name, `only ${Math.round((bavail * bsize) / 1e6)} MB are free at ${folder}`, 'make room: without it state is not kept over a restart') // prettier-ignore
  if (folder !== dataDir) return ok(name, `${dataDir} will be made`)
  const found = await stat(dataDir)
  if ((found.mode & 0o077) !== 0)
    return failedCheck(name, `${dataDir} is open to other users`, `chmod 700 ${dataDir}`)
  const identity = `${dataDir}/identity.json`
  const mode = await stat(identity).then((s) => s.mode, () => 0) // prettier-ignore
  if ((mode & 0o077) !== 0)
    return failedCheck(name, `${identity} holds keys and is open to other users`, `chmod 600 ${identity}; then give the agent new keys: stagely admin agent-keys`) // prettier-ignore
  return ok(name, `${dataDir} is the agent’s alone`)
}

const checkFilesDir = async ({ filesDir, filesOnDisk }: AgentConfig): Promise<DoctorCheck> => {
  const name = 'tmpfs'
  const unsafe = await findUnsafe(filesDir)
  if (unsafe !== undefined)
    return failedCheck(name, `${unsafe}, who could put other files in the place of file secrets: they are refused`, `give a folder that root or the agent’s user alone can write to: --files-dir ${safeFilesDir}`) // prettier-ignore
  const folder = await nearest(filesDir)
  const { type } = await statfs(folder)
  if (memoryFileSystems.has(type)) return checkSwap(filesDir)
  const message = `${filesDir} is not on a tmpfs`
  return filesOnDisk
    ? warning(name, `${message}: a disk keeps file secrets`, `leave out --files-on-disk where there is a tmpfs, such as ${safeFilesDir}`) // prettier-ignore
    : failedCheck(name, `${message}: file secrets are refused`, `give a folder on one: --files-dir ${safeFilesDir}`) // prettier-ignore
}

const checkSwap = async (filesDir: string): Promise<DoctorCheck> => {
  const swaps = (await readFile('/proc/swaps', 'utf8').catch(() => '')).trim().split('\n').slice(1)
  const onDisk = swaps.map((line) => line.split(/\s+/)[0] ?? '').filter((n) => !/zram/.test(n))
  return onDisk.length === 0
    ? ok('tmpfs', `${filesDir} is in memory, and nothing is swapped to a disk`)
    : warning('tmpfs', `${filesDir} is in memory, but ${onDisk.join(', ')} may hold its pages`, 'encrypt swap, or turn it off') // prettier-ignore
}

const checkAllowDirs = async (allowDirs: readonly string[]): Promise<DoctorCheck> => {
  const name = 'allow-dir'
  if (allowDirs.length === 0)
    return failedCheck(name, 'no folder is given, so that no stack is run', 'name the folders that stacks may lie in: --allow-dir /srv') // prettier-ignore
  const missing: string[] = []
  for (const dir of allowDirs) {
    const isFolder = await stat(dir).then((s) => s.isDirectory(), () => false) // prettier-ignore
    if (!isFolder) missing.push(dir)
  }
  return missing.length === 0
    ? ok(name, allowDirs.join(', '))
    : failedCheck(name, `not a folder: ${missing.join(', ')}`, 'make it, or correct --allow-dir')
}

export const checkFolders = async (config: AgentConfig, uid: number): Promise<DoctorCheck[]> => [
  checkUser(uid),
  await checkDataDir(config.dataDir),
  await checkFilesDir(config),
  await checkAllowDirs(config.allowDirs),
]
