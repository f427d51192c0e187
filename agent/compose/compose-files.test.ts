import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readIfReadable } from '../../src/compose/files.ts'
import { faultOfOddFiles, findComposeFiles, signatureOf } from './compose-files.ts'
import { tmpBorders } from '../../test/support/agents/allowed-folders.ts'

const run = promisify(execFile)

describe('findComposeFiles', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stagely-files-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const write = (name: string, text = 'services: {}\n') => writeFile(join(folder, name), text)
  const find = async (tweak: object = {}, allowDirs: string[] = [tmpdir()]) => {
    const found = await findComposeFiles(
      { directory: folder, onChange: 'Hold', ...tweak },
      { allowDirs, ownDirs: [] },
    )
    return 'fault' in found ? found.fault.reason : found.files.files
  }
  const watched = async (): Promise<readonly string[]> => {
    const found = await findComposeFiles({ directory: folder, onChange: 'Hold' }, tmpBorders)
    return 'fault' in found ? [] : found.files.watched
  }

  it('chooses as Compose does: the first base, and the first override', async () => {
    for (const name of [
      'docker-compose.yaml',
      'docker-compose.yml',
      'docker-compose.override.yaml',
    ])
      await write(name)
    expect(await find()).toEqual(['docker-compose.yml', 'docker-compose.override.yaml'])
    await write('compose.yaml')
    expect(await find()).toEqual(['compose.yaml', 'docker-compose.override.yaml'])
  })

  it('follows COMPOSE_FILE of .env, or of the env files that are given', async () => {
    for (const name of ['compose.yaml', 'a.yml', 'b.yml']) await write(name)
    await write('.env', '# note\nexport COMPOSE_FILE="a.yml:b.yml"\n')
    expect(await find()).toEqual(['a.yml', 'b.yml'])
    await write('other.env', 'COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=b.yml,a.yml # both\n')
    expect(await find({ envFiles: ['other.env'] })).toEqual(['b.yml', 'a.yml'])
    expect(await find({ files: ['compose.yaml'] })).toEqual(['compose.yaml'])
  })

  it('waits at no pipe that a container has put in place of a file, and names it', async () => {
    await mkdir(join(folder, 'data'))
    await write('compose.yaml', 'services: {web: {env_file: [./data/app.env]}}\n')
    expect(await find()).toEqual(['compose.yaml'])
    const pipe = join(folder, 'data/app.env')
    await run('mkfifo', [pipe])
    expect(await find()).toBe('FileNotReadable')
    expect((await faultOfOddFiles([pipe]))?.message).toContain(`${pipe} is no regular file`)
    expect(await readIfReadable(pipe)).toBe('')
    await rm(pipe)
    await symlink('/dev/zero', pipe)
    expect(await find()).toBe('FileNotReadable')
    expect(await readIfReadable(pipe)).toBe('')
    await rm(pipe)
    await writeFile(pipe, Buffer.alloc(4 * 2 ** 20 + 1))
    expect((await faultOfOddFiles([pipe]))?.message).toContain('more than 4 MiB')
    await writeFile(pipe, 'A=1\n')
    expect(await find()).toEqual(['compose.yaml'])
    for (const name of ['.env', 'docker-compose.yml', 'compose.override.yaml']) {
      await run('mkfifo', [join(folder, name)])
      expect(await readIfReadable(join(folder, name))).toBe('')
    }
    expect(await find()).toBe('FileNotReadable')
  })

  it('asks Compose for no file whose aliases would fill the memory', async () => {
    const lines = Array.from({ length: 9 }, (_, i) => {
      const nine = Array.from({ length: 9 }, () => `*a${i}`).join(', ')
      return `x-${i + 1}: &a${i + 1} [${nine}]`
    })
    await write('compose.yaml', `services: {}\nx-0: &a0 [lol]\n${lines.join('\n')}\n`)
    expect(await find()).toBe('ComposeInvalid')
    // As a container may write it: the parser would hold up the agent for seconds.
    const large = `x: [${Array.from({ length: 200_000 }, () => '*a0').join(', ')}]\n`
    await write('compose.yaml', `services: {}\nx-0: &a0 lol\n${large}`)
    expect(await find()).toBe('ComposeInvalid')
    // What a stack only mounts is not read by Compose.
    await write('mounted.yaml', `x-0: &a0 [lol]\n${lines.join('\n')}\n`)
    await write('compose.yaml', 'services: {web: {volumes: ["./mounted.yaml:/m.yaml"]}}\n')
    expect(await find()).toEqual(['compose.yaml'])
    await write('compose.yaml', 'include: [./mounted.yaml]\n')
    expect(await find()).toBe('ComposeInvalid')
    await write('compose.yaml', 'services: {}\n')
    expect(await find()).toEqual(['compose.yaml'])
  })

  it('says what is missing', async () => {
    expect(await find({ directory: join(folder, 'nonexistent') })).toBe('DirectoryMissing')
    expect(await find()).toBe('ComposeInvalid')
    expect(await find({ files: ['absent.yml'] })).toBe('ComposeInvalid')
  })

  it('stays in the allowed folders, whatever links say', async () => {
    await write('compose.yaml')
    await mkdir(join(folder, 'allowed'))
    await symlink(folder, join(folder, 'allowed/link'))
    await writeFile(join(folder, 'allowed/compose.yaml'), 'services: {}')
    const allowed = join(folder, 'allowed')
    expect(await find({ directory: allowed }, [allowed])).toEqual(['compose.yaml'])
    expect(await find({ directory: join(allowed, 'link') }, [allowed])).toBe('DirectoryNotAllowed')
    expect(await find({ directory: allowed, files: ['../compose.yaml'] }, [allowed])).toBe(
      'DirectoryNotAllowed',
    )
    await write('other.env', 'A=1\n')
    expect(await find({ directory: allowed, envFiles: ['../other.env'] }, [allowed])).toBe(
      'DirectoryNotAllowed',
    )
    expect(await find({ directory: allowed, envFiles: ['absent.env'] }, [allowed])).toEqual([
      'compose.yaml',
    ])
  })

  it('notices a change of anything that the files name', async () => {
    await mkdir(join(folder, 'parts'))
    await write('compose.yaml', 'include: [parts/more.yml]\n')
    await write('parts/more.yml', 'services: {a: {env_file: [a.env]}}\n')
    await write('parts/a.env', 'A=1\n')
    const before = await signatureOf(await watched())
    expect(await signatureOf(await watched())).toBe(before)
    await write('parts/a.env', 'A=22\n')
    const edited = await signatureOf(await watched())
    expect(edited).not.toBe(before)
    await write('.env', 'B=1\n')
    expect(await signatureOf(await watched())).not.toBe(edited)
  })
})
