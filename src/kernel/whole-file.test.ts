import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createWhole, readIfThere, writeWhole } from './whole-file.ts'

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-whole-file-'))
  path = join(dir, 'file')
})
afterEach(() => rm(dir, { recursive: true }))

it('replaces a file, with exactly the mode that is asked for', async () => {
  const before = process.umask(0o077)
  try {
    await writeFile(path, 'old', { mode: 0o600 })
    await writeWhole(path, 'new', { mode: 0o644 })
  } finally {
    process.umask(before)
  }
  expect(await readFile(path, 'utf8')).toBe('new')
  expect((await stat(path)).mode & 0o7777).toBe(0o644)
  expect(await readdir(dir)).toEqual(['file'])
})

it('gives the file the owner that is asked for', async () => {
  const { uid, gid } = await stat(dir)
  await writeWhole(path, Buffer.from([1, 2]), { mode: 0o4755, owner: { uid, gid }, sync: false })
  expect(await stat(path)).toMatchObject({ uid, gid, size: 2 })
  expect((await stat(path)).mode & 0o7777).toBe(0o4755)
})

it('leaves nothing of a write that fails', async () => {
  await expect(writeWhole(join(dir, 'none', 'file'), 'x', { mode: 0o600 })).rejects.toThrow(
    'ENOENT',
  )
  await expect(writeWhole(dir, 'x', { mode: 0o600 })).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
  expect(await readdir(dir)).toEqual([])
})

it('lets one of many that create a file win, and the others hear of it', async () => {
  const results = await Promise.allSettled(
    ['a', 'b', 'c'].map((text) => createWhole(path, text, { mode: 0o600 })),
  )
  const won = results.findIndex(({ status }) => status === 'fulfilled')
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await readFile(path, 'utf8')).toBe(['a', 'b', 'c'][won])
  expect(await readdir(dir)).toEqual(['file'])
})

it('reads a file that is not there as undefined, and fails with what cannot be read', async () => {
  expect(await readIfThere(path)).toBeUndefined()
  await writeFile(path, 'text')
  expect(await readIfThere(path)).toBe('text')
  await expect(readIfThere(dir)).rejects.toThrow('EISDIR')
})
