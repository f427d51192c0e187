import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runAgent } from '../main.ts'
import { prepareAgentDir } from './data-dir.ts'

describe('the data folder of an agent', () => {
  let parent: string
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'stagely-agent-data-'))
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  const modeOf = async (dir: string): Promise<number> => (await stat(dir)).mode & 0o7777

  it('is made private; one that was open is closed, which is told', async () => {
    const dir = join(parent, 'a/b')
    expect(await prepareAgentDir(dir)).toBe(false)
    expect(await modeOf(dir)).toBe(0o700)
    await writeFile(join(dir, 'identity.json'), '')
    for (const mode of [0o755, 0o770, 0o701]) {
      await chmod(dir, mode)
      expect(await prepareAgentDir(dir)).toBe(true)
      expect(await modeOf(dir)).toBe(0o700)
      expect(await prepareAgentDir(dir)).toBe(false)
    }
  })

  it('is not a folder that others use', async () => {
    await writeFile(join(parent, 'theirs'), '')
    await chmod(parent, 0o1777)
    await expect(prepareAgentDir(parent)).rejects.toThrow('name a folder of its own')
    expect(await modeOf(parent)).toBe(0o1777)
  })

  it.runIf(process.geteuid?.() === 0)('is not another user’s: no agent starts on it', async () => {
    const dir = join(parent, 'theirs')
    await mkdir(dir, { mode: 0o755 })
    await chown(dir, 65534, 65534)
    await expect(prepareAgentDir(dir)).rejects.toThrow(/belongs to user 65534.*chown/)
    expect(await runAgent(['--data-dir', dir, '--allow-dir', '/srv'])).toBe(1)
    expect(await modeOf(dir)).toBe(0o755)
    expect(await readdir(dir)).toEqual([])
  })
})
