// File secrets on the tmpfs: ROOT/<stagelet uid>/<value digest>. A new version is a new path, so that
// old and new stand side by side while a rollout or its rollback runs.
//
// INVARIANTS
// - A path that exists is whole: content, mode and owner are set before the name is.
// - Nothing is written where a disk would keep it, unless the operator has said so.
// - A file is removed when it is not wanted any more and no container, running or not, mounts it.
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { createSerialQueue } from '../../src/kernel/async/serial-queue.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import type { FileCache, PlacedFile } from './file-cache.ts'
import type { Owner } from '../docker/root-owner.ts'
import { isRight, placeFile, prepareFolders } from './tmpfs.ts'

export interface FileStore {
  pathOf(stageletUid: string, digest: string): string
  /** Writes these files where they are missing or wrong. A fault where that is not possible. */
  place(stageletUid: string, files: readonly PlacedFile[]): Promise<StackFault | undefined>
  /** Removes the stagelet's files that are not in `keep` and that nothing mounts. */
  sweep(stageletUid: string, keep: ReadonlySet<string>): Promise<void>
  /** Removes the files of all stagelets that are not `owned` and that nothing mounts. */
  sweepOrphans(owned: (stageletUid: string) => boolean): Promise<void>
  /** Writes the files of the cache again: after a reboot the tmpfs is empty. */
  restore(): Promise<void>
  /** Writes the whole cache anew, sealed to the present key; false where the disk was full. */
  reseal(): Promise<boolean>
}

interface FileStoreDeps {
  /** Folder of this agent alone. */
  readonly root: string
  /** Write also where the folder is on a disk. */
  readonly onDisk: boolean
  readonly cache: FileCache
  /** Sources of every bind mount of every container, stopped ones too. */
  readonly mounted: () => Promise<readonly string[]>
  /** User of this machine that root of a container is; undefined: root. */
  readonly rootOwner: () => Promise<Owner | undefined>
  readonly log: Logger
}

/** The file with its owner on this machine. */
const ownedHere = (file: PlacedFile, root: Owner | undefined): PlacedFile =>
  root === undefined
    ? file
    : {
        ...file,
        uid: file.uid === 0 ? root.uid : file.uid,
        gid: file.gid === 0 ? root.gid : file.gid,
      }

const makeRight = async (path: string, file: PlacedFile): Promise<void> => {
  if (!(await isRight(path, file))) await placeFile(path, file)
}

/** The fault, without the path in the system's message. */
const notWritten = (error: unknown): StackFault => ({
  reason: 'FileNotWritten',
  message: `cannot write file secrets to the folder of --files-dir: ${messageOf(error).replace(/ '[^']*'/g, '')}`,
})

const safeName = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

/** `unsaved`: stagelets whose cache could not be written, as on a full disk. One of the next sweeps writes them. */
const saveFiles = async (
  { cache, log }: FileStoreDeps,
  unsaved: Set<string>,
  { uid, files }: { uid: string; files: readonly PlacedFile[] },
): Promise<void> => {
  try {
    await cache.save(uid, files)
    unsaved.delete(uid)
  } catch (error) {
    unsaved.add(uid)
    const reason = messageOf(error)
    log.warn({ stagelet: uid, reason }, 'file secrets would not outlast a reboot; trying again')
  }
}

export const createFileStore = (deps: FileStoreDeps): FileStore => {
  const { root, cache, log } = deps
  /** Files on the tmpfs, by stagelet and digest; undefined for a file of which only the name is known. */
  const placedOf = new Map<string, Map<string, PlacedFile | undefined>>()
  const unsaved = new Set<string>()
  const queue = createSerialQueue()
  const folderOf = (uid: string): string => join(root, uid)
  const pathOf = (uid: string, digest: string): string => join(folderOf(uid), digest)

  const saveCache = (uid: string): Promise<void> => {
    const files = [...(placedOf.get(uid)?.values() ?? [])].filter((f) => f !== undefined)
    return saveFiles(deps, unsaved, { uid, files })
  }

  const placeAll = async (
    uid: string,
    files: readonly PlacedFile[],
  ): Promise<StackFault | undefined> => {
    const strange = [uid, ...files.map((f) => f.digest)].find((name) => !safeName.test(name))
    if (strange !== undefined)
      return { reason: 'FileNotWritten', message: 'a name from the controller is no file name' }
    try {
      const fault = await prepareFolders([root, folderOf(uid)], deps.onDisk)
      if (fault !== undefined) return fault
      const rootOwner = await deps.rootOwner()
      for (const file of files)
        await makeRight(pathOf(uid, file.digest), ownedHere(file, rootOwner))
    } catch (error) {
      return notWritten(error)
    }
    const own = placedOf.get(uid) ?? new Map<string, PlacedFile | undefined>()
    placedOf.set(uid, own)
    const isNew = files.some((f) => own.get(f.digest) === undefined)
    for (const file of files) own.set(file.digest, file)
    if (isNew) await saveCache(uid)
    return undefined
  }

  const sweepOne = async (uid: string, keep: ReadonlySet<string>): Promise<void> => {
    const own = placedOf.get(uid) ?? new Map<string, PlacedFile | undefined>()
    for (const name of await readdir(folderOf(uid)).catch(() => []))
      if (!own.has(name)) own.set(name, undefined)
    const extra = [...own.keys()].filter((digest) => !keep.has(digest))
    if (extra.length === 0) return
    const mounted = new Set(await deps.mounted())
    const gone = extra.filter((digest) => !mounted.has(pathOf(uid, digest)))
    for (const digest of gone) {
      await rm(pathOf(uid, digest), { force: true })
      own.delete(digest)
    }
    if (own.size === 0) {
      placedOf.delete(uid)
      await rmdir(folderOf(uid)).catch(() => undefined)
    } else placedOf.set(uid, own)
    if (gone.length > 0) await saveCache(uid)
  }

  return {
    pathOf,
    place: (uid, files) =>
      files.length === 0 ? Promise.resolve(undefined) : queue(() => placeAll(uid, files)),
    sweep: (uid, keep) => queue(() => sweepOne(uid, keep)),
    sweepOrphans: async (owned) => {
      const here = await readdir(root).catch(() => [])
      for (const uid of new Set([...here, ...placedOf.keys()]))
        await queue(() => (owned(uid) ? Promise.resolve() : sweepOne(uid, new Set())))
      for (const uid of [...unsaved]) await queue(() => saveCache(uid))
    },
    reseal: async () => {
      for (const uid of [...placedOf.keys()]) await queue(() => saveCache(uid))
      return unsaved.size === 0
    },
    restore: async () => {
      const { files, damaged } = await cache.load()
      for (const uid of damaged)
        log.warn({ stagelet: uid }, 'the cached file secrets do not open; the controller has them')
      for (const [uid, list] of files) {
        const fault = await queue(() => placeAll(uid, list))
        if (fault !== undefined)
          log.warn({ stagelet: uid, ...fault }, 'cannot restore file secrets')
      }
    },
  }
}
