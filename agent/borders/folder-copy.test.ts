import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tmpBorders } from '../../test/support/agents/allowed-folders.ts'
import { faultOfCopiedMounts, makeCopy, removeCopy } from './folder-copy.ts'

describe('a folder that is a copy', () => {
  let base: string
  const at = (...path: string[]): string => join(base, ...path)
  const request = () => ({ uid: 'own', directory: at('previews', 'a'), copyOf: at('shop') })
  const writes = (...sources: string[]) =>
    Promise.resolve(
      sources.map((source) => ({
        source,
        container: 'db',
        project: 'shop',
        directory: at('shop'),
      })),
    )
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'stagely-copy-'))
    await mkdir(at('shop', 'data'), { recursive: true })
    await writeFile(at('shop', 'compose.yaml'), 'services: {}\n')
    await writeFile(at('shop', 'data', 'rows'), 'of production')
    await chmod(at('shop', 'compose.yaml'), 0o640)
    await symlink('compose.yaml', at('shop', 'link'))
  })
  afterEach(() => rm(base, { recursive: true, force: true }))

  it('has files, modes and links, and not what containers write', async () => {
    expect(await makeCopy(request(), tmpBorders, () => writes(at('shop', 'data')))).toBeUndefined()
    const { directory } = request()
    expect((await readdir(directory)).sort()).toEqual(['.stagely-copy', 'compose.yaml', 'link'])
    expect((await stat(join(directory, 'compose.yaml'))).mode & 0o777).toBe(0o640)
    expect(await readlink(join(directory, 'link'))).toBe('compose.yaml')
    // Made once: what is there stays as it is.
    await writeFile(join(directory, 'compose.yaml'), 'edited')
    expect(await makeCopy(request(), tmpBorders, () => writes())).toBeUndefined()
    expect(await readFile(join(directory, 'compose.yaml'), 'utf8')).toBe('edited')
  })

  it('goes with its stagelet, and no other folder does', async () => {
    const { directory } = request()
    await makeCopy(request(), tmpBorders, () => writes())
    await removeCopy({ uid: 'another', directory }, tmpBorders)
    await removeCopy({ uid: 'own', directory: at('shop') }, tmpBorders)
    expect((await readdir(at('previews'))).concat(await readdir(at('shop')))).toContain('a')
    expect(await readdir(at('shop'))).toContain('compose.yaml')
    await removeCopy({ uid: 'own', directory }, tmpBorders)
    expect(await readdir(at('previews'))).toEqual([])
    await removeCopy({ uid: 'own', directory }, tmpBorders)
  })

  it('uses nothing outside of it that nobody has named, also when its stagelet hides what it is', async () => {
    await makeCopy(request(), tmpBorders, () => writes())
    const { directory } = request()
    const service = (source: string, readOnly = true) => ({
      binds: [{ source, target: '/x', readOnly }],
      others: [],
    })
    const told = async (source: string, tweak: object = {}, readOnly = true) => {
      const mounts = { mounts: new Map([['web', service(source, readOnly)]]) }
      const model = { services: [], mounts, fixedVolumes: [], ...tweak }
      const spec = { directory, onChange: 'Hold' as const, ...tweak }
      return (await faultOfCopiedMounts(spec, model))?.message
    }
    expect(await told(join(directory, 'site'), {}, false)).toBeUndefined()
    expect(await told('/etc/localtime')).toBeUndefined()
    expect(await told('/etc/localtime', {}, false)).toContain('/etc/localtime')
    expect(await told(at('shop', 'data'))).toContain(`spec.compose.mounts: [${at('shop', 'data')}]`)
    expect(await told(at('shop', 'data'), { mounts: [at('shop')] })).toBeUndefined()
    await symlink(at('shop', 'data'), join(directory, 'way'))
    expect(await told(join(directory, 'way'))).toContain(join(directory, 'way'))
    const volume = { fixedVolumes: ['shop_data'] }
    expect(await told(directory, volume)).toContain('shop_data')
    expect(await told(directory, { ...volume, mounts: ['shop_data'] })).toBeUndefined()
    expect(await told('/srv/any', { directory: at('shop') })).toBeUndefined()
  })

  it('lies and begins where the agent may use folders, and not in its own original', async () => {
    const reasonOf = async (tweak: object): Promise<string | undefined> =>
      (await makeCopy({ ...request(), ...tweak }, tmpBorders, () => writes()))?.reason
    expect(await reasonOf({ copyOf: '/etc' })).toBe('DirectoryNotAllowed')
    expect(await reasonOf({ directory: '/srv/elsewhere-of-a-test' })).toBe('DirectoryNotAllowed')
    expect(await reasonOf({ directory: at('shop', 'inner') })).toBe('DirectoryNotAllowed')
    expect(await reasonOf({ copyOf: at('nowhere') })).toBe('DirectoryMissing')
    expect(await readdir(base)).not.toContain('previews/a')
  })
})
