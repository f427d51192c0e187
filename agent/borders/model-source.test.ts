import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Compose } from '../../src/compose/compose.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { createModelSource } from './model-source.ts'
import {
  forStack,
  noImages,
  noMounts,
  tmpBorders,
} from '../../test/support/agents/allowed-folders.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stagely-model-'))
  await writeFile(join(directory, 'compose.yml'), 'services: {}\n')
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

it('the files are read anew by another Compose, and not at all without one', async () => {
  let onRun = (): Promise<void> => Promise.resolve()
  let runs = 0
  const compose = {
    version: '2.26.1',
    lookAgain: () => onRun(),
    run: () => {
      runs++
      return Promise.resolve({ stdout: '{"services":{"web":{}}}', stderr: '' })
    },
    pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
  } satisfies Compose
  const models = createModelSource(compose, tmpBorders, noMounts, noImages)
  const read = (): ReturnType<typeof models.read> =>
    models.read({
      ...forStack,
      spec: { directory, projectName: 'shop', onChange: 'Hold' },
      base: {},
      globals: {},
      mask: (text) => text,
    })
  expect(await read()).toMatchObject({ model: { services: [{ name: 'web' }] } })
  const once = runs
  await read()
  expect(runs).toBe(once)
  onRun = () => {
    compose.version = '2.40.0'
    return Promise.resolve()
  }
  await read()
  expect(runs).toBe(2 * once)
  onRun = () => Promise.reject(new StagelyError('ServiceUnavailable', 'no docker-compose found'))
  expect(await read()).toEqual({
    fault: { reason: 'ComposeUnavailable', message: 'no docker-compose found' },
    missingVariables: [],
  })
})

it('a stack with other profiles or variables is another one, as with edited files', async () => {
  const compose = {
    version: '2.26.1',
    lookAgain: () => Promise.resolve(),
    run: () => Promise.resolve({ stdout: '{"services":{"web":{}}}', stderr: '' }),
    pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
  } satisfies Compose
  const models = createModelSource(compose, tmpBorders, noMounts, noImages)
  const signatureWith = async (choice: object): Promise<string | undefined> => {
    const spec = { directory, projectName: 'shop', onChange: 'Hold' as const, ...choice }
    const result = await models.read({
      ...forStack,
      spec,
      base: {},
      globals: {},
      mask: (text) => text,
    })
    return 'model' in result ? result.model.signature : undefined
  }
  const plain = await signatureWith({})
  const debug = await signatureWith({ profiles: ['debug'] })
  const listed = await signatureWith({ variables: ['TAG'] })
  expect(new Set([plain, debug, listed]).size).toBe(3)
  expect(await signatureWith({ profiles: [] })).toBe(plain)
})

it('another value of a listed variable is looked into before anything is run with it', async () => {
  let scale = 2
  let runs = 0
  const compose = {
    version: '2.26.1',
    lookAgain: () => Promise.resolve(),
    run: () => {
      runs++
      const stdout = JSON.stringify({ services: { web: { scale } } })
      return Promise.resolve({ stdout, stderr: '' })
    },
    pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
  } satisfies Compose
  const models = createModelSource(compose, tmpBorders, noMounts, noImages)
  const scaleWith = async (COUNT: string): Promise<number | undefined> => {
    const spec = { directory, projectName: 'shop', onChange: 'Hold' as const, variables: ['COUNT'] }
    const result = await models.read({
      ...forStack,
      spec,
      base: {},
      globals: { COUNT },
      mask: (text) => text,
    })
    return 'model' in result ? result.model.services[0]?.scale : undefined
  }
  expect(await scaleWith('2')).toBe(2)
  const once = runs
  scale = 3
  expect([await scaleWith('3'), runs]).toEqual([3, 2 * once])
  expect([await scaleWith('3'), runs]).toEqual([3, 2 * once])
})

/** For a stack of one service, with these profiles: what Compose was asked with, at each reading with these global secrets. */
const openAsked = async (
  profiles: readonly string[],
  text = 'services: {} # ${NEW} ${OLD}\n',
): Promise<(globals: Record<string, string>) => Promise<string[]>> => {
  await writeFile(join(directory, 'compose.yml'), text)
  const asked: string[] = []
  const compose = {
    version: '2.26.1',
    lookAgain: () => Promise.resolve(),
    run: ({ env, flags = [] }) => {
      asked.push([...Object.keys(env).sort(), ...(flags.includes('*') ? ['*'] : [])].join())
      return Promise.resolve({
        stdout: JSON.stringify({ services: { web: { profiles } } }),
        stderr: '',
      })
    },
    pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
  } satisfies Compose
  const models = createModelSource(compose, tmpBorders, noMounts, noImages)
  const spec = { directory, projectName: 'shop', onChange: 'Hold' as const }
  return async (globals) => {
    asked.length = 0
    await models.read({ ...forStack, spec, base: {}, globals, mask: (text) => text })
    return [...asked]
  }
}

it('a secret that comes to be named by the files is looked into before anything is run with it', async () => {
  const asksWith = await openAsked([])
  expect(await asksWith({ OLD: 'a' })).toEqual(['OLD,*', '*', '*'])
  expect(await asksWith({ OLD: 'b', UNNAMED: 'c' })).toEqual([])
  expect(await asksWith({ OLD: 'b', NEW: 'c' })).toEqual(['NEW,OLD,*', '*', '*'])
})

it('a stack with profiles is read with all of them, and with its own', async () => {
  const asksWith = await openAsked(['tools'])
  expect(await asksWith({ OLD: 'a' })).toEqual(['OLD,*', '*', '*', 'OLD', '', ''])
})

it.each([
  ['without variables is asked for once', 'services: {web: {image: x}}', 1],
  ['with a variable is asked for as it is written, too', 'services: {web: {image: "${TAG}"}}', 2],
  ['with an escape', 'services: {web: {image: "\\x24TAG"}}', 2],
  ['with an env file', 'services: {web: {env_file: a}}', 2],
  ['with another file', 'include: [part]', 2],
])('a stack %s', async (_what, text, times) => {
  const asksWith = await openAsked([], text)
  expect(await asksWith({ OLD: 'a' })).toHaveLength(times)
})

it('a stack that would mount or read what is the agent’s own is refused, by any field', async () => {
  const own = join(directory, 'agent')
  const bind = { type: 'bind', source: join(own, 'identity.json'), target: '/x' }
  const file = { file: bind.source }
  const reasonOf = async (stack: object): Promise<string> => {
    const compose = {
      version: '2.26.1',
      lookAgain: () => Promise.resolve(),
      run: () => Promise.resolve({ stdout: JSON.stringify(stack), stderr: '' }),
      pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
    } satisfies Compose
    const folders = { allowDirs: [tmpdir()], ownDirs: [own] }
    const models = createModelSource(compose, folders, noMounts, noImages)
    const spec = { directory, projectName: 'shop', onChange: 'Hold' as const }
    const result = await models.read({ ...forStack, spec, base: {}, globals: {}, mask: (t) => t })
    return 'fault' in result ? result.fault.reason : 'runs'
  }
  const web = (service: object, more: object = {}): object => ({
    services: { web: service },
    ...more,
  })
  expect(await reasonOf(web({}))).toBe('runs')
  expect(await reasonOf(web({ volumes: [{ ...bind, source: join(directory, 'data') }] }))).toBe(
    'runs',
  )
  const ways = [
    web({ volumes: [bind] }),
    web({ volumes: [{ ...bind, source: own }] }),
    web({ secrets: [{ source: 'a' }] }, { secrets: { a: file } }),
    web({ configs: [{ source: 'a' }] }, { configs: { a: file } }),
  ]
  for (const way of ways)
    expect(await reasonOf(way), JSON.stringify(way)).toBe('DirectoryNotAllowed')
})
