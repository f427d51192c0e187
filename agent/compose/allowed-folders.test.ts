import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkAllowed, type AllowedFolders } from './allowed-folders.ts'
import { findComposeFiles } from './compose-files.ts'

describe('the folders of an agent', () => {
  let folder: string
  let folders: AllowedFolders
  const own = (): string => join(folder, 'agent')
  const stack = (): string => join(folder, 'stack')
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stagely-folders-'))
    folders = { allowDirs: [folder], ownDirs: [own()] }
    await mkdir(own())
    await mkdir(stack())
    await writeFile(join(own(), 'secret'), 'services: {}\n')
    await writeFile(join(own(), 'inner.yml'), 'services: {}\n')
    await writeFile(join(stack(), 'compose.yml'), 'services: {}\n')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const faultOf = async (tweak: object): Promise<string | undefined> => {
    const spec = { directory: stack(), onChange: 'Hold' as const, ...tweak }
    const found = await findComposeFiles(spec, folders)
    if (!('fault' in found)) return undefined
    expect(found.fault.message).not.toContain(own())
    return found.fault.reason
  }

  it('leave out the agent’s own folders wherever they lie, through links too', async () => {
    await symlink(own(), join(stack(), 'link'))
    await symlink(join(own(), 'secret'), join(stack(), 'file'))
    expect(await faultOf({})).toBeUndefined()
    for (const tweak of [
      { directory: own() },
      { directory: join(stack(), 'link') },
      { files: [join(own(), 'secret')] },
      { files: ['../agent/secret'] },
      { files: ['compose.yml', 'link/secret'] },
      { files: ['file'] },
      { files: ['link/not-there'] },
      { envFiles: ['file'] },
      { envFiles: ['link/not-there'] },
    ])
      expect(await faultOf(tweak)).toBe('DirectoryNotAllowed')
  })

  it('count a path as the kernel does, which goes up from where a link leads', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'stagely-elsewhere-'))
    await mkdir(join(elsewhere, 'deep'))
    for (const place of [elsewhere, join(elsewhere, 'deep'), stack()])
      await writeFile(join(place, 'other.yml'), 'services: {}\n')
    await writeFile(join(elsewhere, 'compose.yml'), 'services: {}\n')
    await symlink(join(elsewhere, 'deep'), join(stack(), 'link'))
    expect(await faultOf({ directory: `${stack()}/link/..` })).toBe('DirectoryNotAllowed')
    folders = { ...folders, allowDirs: [folder, join(elsewhere, 'deep')] }
    const linked = { directory: join(stack(), 'link') }
    expect(await faultOf({ ...linked, files: ['other.yml'] })).toBeUndefined()
    expect(await faultOf({ ...linked, files: ['../other.yml'] })).toBe('DirectoryNotAllowed')
    expect(await faultOf({ ...linked, files: ['other.yml'], envFiles: ['../x'] })).toBe(
      'DirectoryNotAllowed',
    )
    await rm(elsewhere, { recursive: true })
  })

  it.each([
    'include: [../agent/inner.yml]',
    'include: [{path: link/inner.yml}]',
    'services: {web: {extends: {file: link/inner.yml, service: web}}}',
    'services: {web: {env_file: ../agent/x.env}}',
  ])('leave them out of what a file names: %s', async (text) => {
    await symlink(own(), join(stack(), 'link'))
    await writeFile(join(own(), 'x.env'), 'A=b\n')
    await writeFile(join(stack(), 'compose.yml'), `${text}\n`)
    expect(await faultOf({})).toBe('DirectoryNotAllowed')
  })

  it('let nothing in where no folder is named, and say what to do', async () => {
    const fault = await checkAllowed(stack(), { ...folders, allowDirs: [] })
    expect(fault?.reason).toBe('DirectoryNotAllowed')
    expect(fault?.message).toMatch(/start it with --allow-dir DIR/)
  })
})
