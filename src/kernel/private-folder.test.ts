import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makePrivate } from './private-folder.ts'

describe('a private folder', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-private-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  it('is made with the folders above it, for its owner alone', async () => {
    const inner = join(dir, 'a/b/c')
    expect(await makePrivate(inner, new Set())).toBe(false)
    expect((await stat(inner)).mode & 0o777).toBe(0o700)
    expect((await stat(join(dir, 'a'))).mode & 0o777).toBe(0o700)
    expect(await makePrivate(inner, new Set())).toBe(false)
  })

  it('is no file', async () => {
    await writeFile(join(dir, 'file'), '')
    await expect(makePrivate(join(dir, 'file'), new Set())).rejects.toThrow('EEXIST')
    await expect(makePrivate(join(dir, 'file/below'), new Set())).rejects.toThrow('ENOTDIR')
  })

  it('is refused at once where nobody can make one', async () => {
    await expect(makePrivate('/proc/nowhere/folder', new Set())).rejects.toThrow('ENOENT')
  })
})
