import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeAsRoot } from '../../test/support/as-root.ts'
import { newFilesRoot, openTestFiles } from '../../test/support/files.ts'
import { generateKeys, type KeyPair } from '../../src/protocol/keys.ts'
import type { PlacedFile } from './file-cache.ts'
import type { FileStore } from './file-store.ts'

const aFile = (digest: string, tweak: Partial<PlacedFile> = {}): PlacedFile => ({
  digest,
  mode: 0o640,
  uid: 0,
  gid: 0,
  value: Buffer.from(`value of ${digest}`),
  ...tweak,
})

describeAsRoot('the file store', () => {
  const key = generateKeys('X25519')
  let root: string
  let cacheDir: string
  let mounted: string[]
  let store: FileStore

  const open = (tweak: Partial<Parameters<typeof openTestFiles>[0]> = {}): FileStore =>
    openTestFiles({ root, cacheDir, key, mounted: () => Promise.resolve(mounted), ...tweak })
  beforeEach(async () => {
    root = newFilesRoot()
    cacheDir = await mkdtemp(join(tmpdir(), 'stagely-cache-'))
    mounted = []
    store = open()
  })
  afterEach(async () => {
    await rm(root, { recursive: true, force: true })
    await rm(cacheDir, { recursive: true, force: true })
  })
  const names = (): Promise<string[]> =>
    readdir(join(root, 's')).then(
      (n) => n.sort(),
      () => [],
    )

  it('writes bytes, mode and owner exactly, whatever the umask', async () => {
    const value = Buffer.from([0, 1, 255])
    expect(
      await store.place('s', [aFile('a', { value, mode: 0o777, uid: 7, gid: 8 })]),
    ).toBeUndefined()
    const path = store.pathOf('s', 'a')
    expect(await readFile(path)).toEqual(value)
    expect(await stat(path)).toMatchObject({ uid: 7, gid: 8, mode: 0o100777 })
    expect((await stat(root)).mode & 0o777).toBe(0o700)
    expect(await names()).toEqual(['a'])
  })

  it('gives to the user of a rootless engine what root of a container is to own', async () => {
    const rootless = open({ rootOwner: { uid: 7, gid: 8 } })
    const path = rootless.pathOf('s', 'a')
    await rootless.place('s', [aFile('a')])
    const placed = await stat(path)
    expect(placed).toMatchObject({ uid: 7, gid: 8 })
    await rootless.place('s', [aFile('a')])
    expect((await stat(path)).ino).toBe(placed.ino)
    await rootless.place('s', [aFile('b', { gid: 9 })])
    expect(await stat(rootless.pathOf('s', 'b'))).toMatchObject({ uid: 7, gid: 9 })
  })

  it('leaves nothing half-written behind where its cache cannot be written', async () => {
    await mkdir(join(cacheDir, 's.sealed'), { recursive: true })
    expect(await store.place('s', [aFile('a')])).toBeUndefined()
    expect(await readdir(cacheDir)).toEqual(['s.sealed'])
    expect(await names()).toEqual(['a'])
  })

  it('leaves what is right alone, and puts right what was changed', async () => {
    await store.place('s', [aFile('a'), aFile('b')])
    const path = store.pathOf('s', 'a')
    const { ino } = await stat(path)
    await writeFile(store.pathOf('s', 'b'), 'VALUE OF b')
    await store.place('s', [aFile('a'), aFile('b')])
    expect((await stat(path)).ino).toBe(ino)
    expect(await readFile(store.pathOf('s', 'b'), 'utf8')).toBe('value of b')
    await chmod(path, 0o666)
    await store.place('s', [aFile('a')])
    expect((await stat(path)).mode & 0o777).toBe(0o640)
  })

  it('refuses a folder on a disk, unless that is allowed', async () => {
    const disk = await mkdtemp(join(tmpdir(), 'stagely-disk-'))
    const fault = await open({ root: join(disk, 'a') }).place('s', [aFile('a')])
    expect(fault).toMatchObject({ reason: 'NoTmpfs' })
    expect(fault?.message).toContain('--files-dir')
    expect(await readdir(join(disk, 'a'))).toEqual([])
    expect(
      await open({ root: join(disk, 'b'), onDisk: true }).place('s', [aFile('a')]),
    ).toBeUndefined()
    await rm(disk, { recursive: true })
  })

  it('refuses a folder that others can write to, and one that is a link', async () => {
    await store.place('s', [aFile('a')])
    await chmod(root, 0o777)
    expect(await store.place('s', [aFile('b')])).toMatchObject({ reason: 'FileNotWritten' })
    await chmod(root, 0o700)
    await symlink(root, `${root}-link`)
    expect(await open({ root: `${root}-link` }).place('s', [aFile('b')])).toMatchObject({
      reason: 'FileNotWritten',
    })
    await rm(`${root}-link`)
  })

  it('refuses a folder below one that others own or can write to, by a link too, and names a safe one', async () => {
    const own = join(root, 'of-the-agent')
    await mkdir(root)
    await symlink(root, `${root}-link`)
    for (const spoil of [() => chmod(root, 0o777), () => chown(root, 65_534, 0)]) {
      await spoil()
      for (const way of [own, join(`${root}-link`, 'of-the-agent')]) {
        const fault = await open({ root: way }).place('s', [aFile('a')])
        expect(fault).toMatchObject({ reason: 'FilesDirUnsafe' })
        expect(fault?.message).toMatch(/(belongs to user 65534|can be written by other users), .* --files-dir \/run\/stagely$/) // prettier-ignore
      }
      await chmod(root, 0o755)
    }
    await chown(root, 0, 0)
    expect(await open({ root: own }).place('s', [aFile('a')])).toBeUndefined()
    await rm(`${root}-link`)
  })

  it('refuses names that would lead out of the folder', async () => {
    expect(await store.place('../s', [aFile('a')])).toMatchObject({ reason: 'FileNotWritten' })
    expect(await store.place('s', [aFile('../a')])).toMatchObject({ reason: 'FileNotWritten' })
  })

  it('sweeps what is neither kept nor mounted, leftovers of a crash too', async () => {
    await store.place('s', [aFile('kept'), aFile('mounted'), aFile('old')])
    await writeFile(join(root, 's', 'old.1234.new'), 'half')
    mounted = [store.pathOf('s', 'mounted')]
    await store.sweep('s', new Set(['kept']))
    expect(await names()).toEqual(['kept', 'mounted'])
    mounted = []
    await store.sweepOrphans((uid) => uid === 's')
    expect(await names()).toEqual(['kept', 'mounted'])
    await store.sweepOrphans(() => false)
    expect(await readdir(root)).toEqual([])
    expect(await readdir(cacheDir)).toEqual([])
  })

  it('restores what lay there after the tmpfs was lost, but nothing that another key sealed', async () => {
    await store.place('s', [aFile('a', { uid: 5 }), aFile('gone')])
    await store.sweep('s', new Set(['a']))
    await rm(root, { recursive: true })
    const sealed = await readFile(join(cacheDir, 's.sealed'))
    expect(sealed.includes('value of a')).toBe(false)
    await open({ key: generateKeys('X25519') }).restore()
    expect(await names()).toEqual([])
    await open().restore()
    expect(await names()).toEqual(['a'])
    expect(await stat(store.pathOf('s', 'a'))).toMatchObject({ uid: 5, mode: 0o100640 })
  })

  it('saves for a reboot what a full disk has refused, as soon as there is room', async () => {
    await mkdir(join(cacheDir, 's.sealed'), { recursive: true })
    await store.place('s', [aFile('a')])
    await store.sweepOrphans(() => true)
    await rm(join(cacheDir, 's.sealed'), { recursive: true })
    await store.sweepOrphans(() => true)
    await rm(root, { recursive: true })
    await open().restore()
    expect(await names()).toEqual(['a'])
  })

  it('is restored after a reboot by the new key alone, once it was sealed anew', async () => {
    const next = generateKeys('X25519')
    let keys: readonly [KeyPair, ...KeyPair[]] = [key]
    const rotating = open({ keys: () => keys })
    await rotating.place('s', [aFile('a')])
    keys = [next, key]
    expect(await rotating.reseal()).toBe(true)
    await rm(root, { recursive: true })
    await open({ key }).restore()
    expect(await names()).toEqual([])
    await open({ key: next }).restore()
    expect(await names()).toEqual(['a'])
  })

  it('says where a full disk keeps it from being sealed anew, so that the former key is kept', async () => {
    await store.place('s', [aFile('a')])
    await rm(cacheDir, { recursive: true })
    await writeFile(cacheDir, 'in the way, as a disk without room would be')
    expect(await store.reseal()).toBe(false)
  })
})
