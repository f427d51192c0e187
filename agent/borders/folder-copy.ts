// The folder of a stack as a copy of another one, and its end. See ADR 0085.
import {
  chmod,
  copyFile,
  lchown,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf } from '../../src/kernel/errors.ts'
import { readIfThere } from '../../src/kernel/whole-file.ts'
import {
  checkAllowed,
  isInside,
  realPath,
  type AllowedFolders,
  type StackFault,
} from '../compose/allowed-folders.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { ComposeSpec } from '../../src/kinds/stagelet/compose.ts'
import type { WritableMount } from '../docker/mounts.ts'
import { findUnsafe } from './safe-folder.ts'
import { usedPathsOf } from './written-by-containers.ts'

/** In a folder that this agent has made: the uid of the stagelet. */
const markName = '.stagely-copy'
const [mostFiles, mostBytes] = [20_000, 512 * 1024 * 1024]

interface Copy {
  /** Folders and files that are left out. */
  readonly left: ReadonlySet<string>
  files: number
  bytes: number
}

const tooLarge = (): Error =>
  new Error(
    `it has more than ${mostFiles} files or 512 MiB: keep data and sources elsewhere, or give previews folders that are there already`,
  )

/** Copies files, folders and links with their owners. Sockets and the like are left out. */
const copyInto = async (from: string, to: string, copy: Copy): Promise<void> => {
  if (copy.left.has(from)) return
  const found = await lstat(from)
  copy.files += 1
  copy.bytes += found.isFile() ? found.size : 0
  if (copy.files > mostFiles || copy.bytes > mostBytes) throw tooLarge()
  if (found.isSymbolicLink()) await symlink(await readlink(from), to)
  else if (found.isFile()) await copyFile(from, to)
  else if (found.isDirectory()) {
    await mkdir(to, { mode: 0o700 })
    for (const name of await readdir(from)) await copyInto(join(from, name), join(to, name), copy)
  } else return
  await lchown(to, found.uid, found.gid)
  if (!found.isSymbolicLink()) await chmod(to, found.mode & 0o7777)
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

const beside = (directory: string): string => `${directory}.stagely-new`

interface CopyRequest {
  readonly uid: string
  readonly directory: string
  readonly copyOf: string
}

/** Makes the folder where there is none; a fault where that cannot be. `mounts`: what containers write is data, and stays where it is. */
export const makeCopy = async (
  { uid, directory, copyOf }: CopyRequest,
  folders: AllowedFolders,
  askMounts: () => Promise<readonly WritableMount[]>,
): Promise<StackFault | undefined> => {
  const refused = (await checkAllowed(directory, folders)) ?? (await checkAllowed(copyOf, folders))
  if (refused !== undefined) return refused
  if (await isThere(directory)) return undefined
  const fault = (reason: string, why: string): StackFault => ({
    reason,
    message: `${directory} cannot be made as a copy of ${copyOf}: ${why}`,
  })
  const unsafe = await findUnsafe(dirname(directory))
  if (unsafe !== undefined) return fault('DirectoryNotAllowed', unsafe)
  const [from, to] = [await realPath(copyOf), await realPath(directory)]
  if (isInside(to, from)) return fault('DirectoryNotAllowed', 'it lies in that folder')
  const written = await Promise.all((await askMounts()).map(({ source }) => realPath(source)))
  const left = new Set([...written.filter((path) => path !== from), join(from, markName)])
  const temporary = beside(to)
  try {
    await mkdir(dirname(to), { recursive: true, mode: 0o755 })
    await rm(temporary, { recursive: true, force: true })
    await copyInto(from, temporary, { left, files: 0, bytes: 0 })
    await writeFile(join(temporary, markName), uid, { mode: 0o600, flag: 'wx' })
    await rename(temporary, to)
    return undefined
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    return fault('DirectoryMissing', messageOf(error))
  }
}

/** Where they are only read. */
const filesOfTime = ['/etc/localtime', '/etc/timezone']

/** True for a folder that an agent has made as a copy, also where its stagelet does not say so any more. */
const isCopy = async ({ directory, copyOf }: ComposeSpec): Promise<boolean> =>
  copyOf !== undefined || (await isThere(join(await realPath(directory), markName)))

/**
 * A fault where services of a copied stack would use what the copied one has outside of its folder, such as its data:
 * who chooses the image of such a service would read and write it.
 */
export const faultOfCopiedMounts = async (
  spec: ComposeSpec,
  model: Pick<ComposeModel, 'services' | 'mounts' | 'fixedVolumes'>,
): Promise<StackFault | undefined> => {
  if (!(await isCopy(spec))) return undefined
  if ('fault' in model.mounts) return model.mounts.fault
  const { directory, mounts: open = [] } = spec
  const paths = open.filter((path) => path.startsWith('/'))
  const folders = await Promise.all([directory, ...paths].map(realPath))
  const found = usedPathsOf(model).filter(
    ({ source, writes }) => writes || !filesOfTime.includes(source),
  )
  const used = [...new Set(found.map(({ source }) => source))]
  const reals = await Promise.all(used.map(realPath))
  const outside = [
    ...used.filter((_, at) => !folders.some((folder) => isInside(reals[at] ?? '/', folder))),
    ...model.fixedVolumes.filter((volume) => !open.includes(volume)),
  ]
  if (outside.length === 0) return undefined
  const names = outside.slice(0, 5).join(', ')
  return {
    reason: 'CopyUsesOriginal',
    message: `${directory} is a copy, and its services would use what lies outside of it: ${names}. Let the Compose files name other places, by variables. Where a copy may use these, the stagelet names them, or for previews the project (spec.preview.mounts): spec.compose.mounts: [${names}]`,
  }
}

/** Removes a folder that this agent has made for the stagelet, and no other. */
export const removeCopy = async (
  { uid, directory }: Omit<CopyRequest, 'copyOf'>,
  folders: AllowedFolders,
): Promise<void> => {
  if ((await checkAllowed(directory, folders)) !== undefined) return
  const place = await realPath(directory)
  await rm(beside(place), { recursive: true, force: true })
  if ((await readIfThere(join(place, markName)).catch(() => undefined)) !== uid) return
  await rm(place, { recursive: true, force: true })
}
