import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prepareDataDir } from './data-dir.ts'

describe('the data folder', () => {
  let parent: string
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'stagely-data-'))
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  const modeOf = async (dir: string): Promise<number> => (await stat(dir)).mode & 0o7777

  it('is made private, and an empty or former one becomes so', async () => {
    const made = join(parent, 'a/b')
    await prepareDataDir(made)
    expect(await modeOf(made)).toBe(0o700)
    await chmod(made, 0o755)
    await prepareDataDir(made)
    expect(await modeOf(made)).toBe(0o700)
    await writeFile(join(made, 'ca.crt'), '')
    await chmod(made, 0o755)
    await prepareDataDir(made)
    expect(await modeOf(made)).toBe(0o700)
  })

  it('is not one that others use', async () => {
    await writeFile(join(parent, 'theirs'), '')
    await chmod(parent, 0o1777)
    await expect(prepareDataDir(parent)).rejects.toThrow('name a folder of its own')
    expect(await modeOf(parent)).toBe(0o1777)
  })
})
