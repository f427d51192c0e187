import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../src/kernel/log.ts'
import { parseConfig, type Config } from './config.ts'
import { loadMasterKey, prepareDataDir, writeWhole } from './data-dir.ts'

let dir: string
let config: Config

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'stagely-data-')), 'data')
  config = parseConfig(['--data-dir', dir], {})
  await prepareDataDir(dir)
})
afterEach(() => rm(join(dir, '..'), { recursive: true, force: true }))

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('the data folder', () => {
  it('is its owner’s alone, also where it was open before', async () => {
    expect(await modeOf(dir)).toBe(0o700)
  })

  it('gets a master key on the first start, keeps it, and says how to move on', async () => {
    const warnings: string[] = []
    const log = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) }
    const [first, rival] = await Promise.all([
      loadMasterKey(config, log),
      loadMasterKey(config, log),
    ])
    expect(first).toHaveLength(32)
    expect(rival).toEqual(first)
    expect(await loadMasterKey(config, log)).toEqual(first)
    expect(await modeOf(join(dir, 'master.key'))).toBe(0o600)
    expect(warnings[0]).toContain('STAGELY_SECRET_KEY')
    expect(await readdir(dir)).toEqual(['master.key'])
  })

  it('refuses to make a new key where data needs the old one, and a damaged key', async () => {
    await writeFile(join(dir, 'ca.crt'), '')
    await expect(loadMasterKey(config, silentLogger)).rejects.toThrow(/put the key file back/)
    await writeFile(join(dir, 'master.key'), 'short')
    await expect(loadMasterKey(config, silentLogger)).rejects.toThrow(/32 bytes/)
  })

  it('writes files whole and with their mode', async () => {
    await writeWhole(dir, 'admin-token', 'a', 0o600)
    await writeWhole(dir, 'admin-token', 'b', 0o600)
    expect(await readFile(join(dir, 'admin-token'), 'utf8')).toBe('b')
    expect(await modeOf(join(dir, 'admin-token'))).toBe(0o600)
    expect(await readdir(dir)).toEqual(['admin-token'])
  })
})
