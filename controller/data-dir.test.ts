import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger, type Logger } from '../src/kernel/log.ts'
import { prepareControllerDataDir, readAdminToken } from './data-dir.ts'

describe('the data folder', () => {
  let parent: string
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'stagely-data-'))
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  const said: string[] = []
  const log: Logger = { ...silentLogger, warn: (_fields, message) => void said.push(message) }
  const modeOf = async (dir: string): Promise<number> => (await stat(dir)).mode & 0o7777

  it('is made private, and an empty or former one becomes so', async () => {
    const made = join(parent, 'a/b')
    await prepareControllerDataDir(made, log)
    expect(await modeOf(made)).toBe(0o700)
    expect(said).toEqual([])
    await chmod(made, 0o755)
    await prepareControllerDataDir(made, log)
    expect(await modeOf(made)).toBe(0o700)
    expect(said).toEqual(['the data folder was open to other users; it is closed to them now'])
    await writeFile(join(made, 'ca.crt'), '')
    await chmod(made, 0o755)
    await prepareControllerDataDir(made, log)
    expect(await modeOf(made)).toBe(0o700)
  })

  it('is not one that others use', async () => {
    await writeFile(join(parent, 'theirs'), '')
    await chmod(parent, 0o1777)
    await expect(prepareControllerDataDir(parent, log)).rejects.toThrow('name a folder of its own')
    expect(await modeOf(parent)).toBe(0o1777)
  })
})

describe('the first admin’s token from a file', () => {
  let parent: string
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'stagely-data-'))
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  it('is read without the end of its line, and none is no fault', async () => {
    const file = join(parent, 'token')
    const token = `sat_${'k'.repeat(43)}`
    await writeFile(file, `${token}\n`)
    expect(await readAdminToken(file)).toBe(token)
    expect(await readAdminToken(undefined)).toBeUndefined()
  })

  it('is refused when it is short or of another kind, and is not repeated', async () => {
    const file = join(parent, 'token')
    for (const text of ['', 'sat_short-canary', `spt_${'canary'.repeat(8)}`]) {
      await writeFile(file, text)
      const error = (await readAdminToken(file).catch((e: unknown) => e)) as Error
      expect(error.message).toContain('must hold sat_')
      expect(error.message).not.toContain('canary')
    }
    await expect(readAdminToken(join(parent, 'none'))).rejects.toThrow('cannot be read')
  })
})
