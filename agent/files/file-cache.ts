// Keeps file secrets over a reboot: one file for each stagelet, sealed to the agent's own key. Nothing else is kept, as
// containers need only their files to start.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { writeWhole } from '../../src/kernel/whole-file.ts'
import { createOpener, createSealer } from '../../src/protocol/hpke.ts'
import { publicKeyFromRaw, type KeyPair } from '../../src/protocol/keys.ts'

/** One file of the tmpfs. */
export interface PlacedFile {
  /** Its value digest, which covers mode, owner and content; its name on the tmpfs. */
  readonly digest: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly value: Buffer
}

export interface FileCache {
  /** The files of each stagelet. Stagelets whose files cannot be decrypted are named in `damaged`. */
  load(): Promise<{ files: Map<string, PlacedFile[]>; damaged: string[] }>
  /** Replaces the files of a stagelet, written through to the disk; removes them where `files` is empty. */
  save(stageletUid: string, files: readonly PlacedFile[]): Promise<void>
  /** Removes everything. */
  clear(): Promise<void>
}

const content = z.array(
  z.object({
    digest: z.string(),
    mode: z.int(),
    uid: z.int(),
    gid: z.int(),
    value: z.base64(),
  }),
)

const suffix = '.sealed'
const encBytes = 32
const infoOf = (uid: string): Buffer => Buffer.from(JSON.stringify(['stagely file cache v1', uid]))

const sealFiles = (key: KeyPair, uid: string, files: readonly PlacedFile[]): Buffer => {
  const sealer = createSealer({
    recipient: publicKeyFromRaw('X25519', key.publicKey),
    info: infoOf(uid),
  })
  const list = files.map((f) => ({ ...f, value: f.value.toString('base64') }))
  const plaintext = Buffer.from(JSON.stringify(list))
  const sealed = Buffer.concat([sealer.enc, sealer.seal(Buffer.alloc(0), plaintext)])
  plaintext.fill(0)
  return sealed
}

const openFiles = (key: KeyPair, uid: string, sealed: Buffer): PlacedFile[] => {
  const enc = sealed.subarray(0, encBytes)
  const opener = createOpener({ recipient: key, enc, info: infoOf(uid) })
  const plaintext = opener.open(Buffer.alloc(0), sealed.subarray(encBytes))
  const list = content.parse(JSON.parse(plaintext.toString('utf8')))
  plaintext.fill(0)
  return list.map((f) => ({ ...f, value: Buffer.from(f.value, 'base64') }))
}

const openByAny = (
  [key, ...older]: readonly KeyPair[],
  uid: string,
  sealed: Buffer,
): PlacedFile[] => {
  try {
    return openFiles(key!, uid, sealed)
  } catch (error) {
    if (older.length === 0) throw error
    return openByAny(older, uid, sealed)
  }
}

/** The first of `keys` seals; any of them opens. */
export const createFileCache = (
  folder: string,
  keys: () => readonly [KeyPair, ...KeyPair[]],
): FileCache => ({
  load: async () => {
    const files = new Map<string, PlacedFile[]>()
    const damaged: string[] = []
    const names = await readdir(folder).catch(() => [])
    for (const name of names.filter((n) => n.endsWith(suffix))) {
      const uid = name.slice(0, -suffix.length)
      try {
        files.set(uid, openByAny(keys(), uid, await readFile(join(folder, name))))
      } catch {
        damaged.push(uid)
      }
    }
    return { files, damaged }
  },
  save: async (uid, files) => {
    const path = join(folder, `${uid}${suffix}`)
    if (files.length === 0) {
      await rm(path, { force: true })
      return
    }
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeWhole(path, sealFiles(keys()[0], uid, files), { mode: 0o600 })
  },
  clear: () => rm(folder, { recursive: true, force: true }),
})

/** A cache that keeps nothing, and removes what an earlier start kept. */
export const withoutFileCache = (cache: FileCache): FileCache => ({
  load: async () => {
    await cache.clear()
    return { files: new Map(), damaged: [] }
  },
  save: () => Promise.resolve(),
  clear: () => cache.clear(),
})
