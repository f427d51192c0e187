import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Compose } from '../src/compose/compose.ts'
import { StagelyError } from '../src/kernel/errors.ts'
import { createModelSource } from './compose-model.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stagely-model-'))
  await writeFile(join(directory, 'compose.yml'), 'services: {}\n')
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

it('the files are read anew by another Compose, and not at all without one', async () => {
  let look = (): Promise<void> => Promise.resolve()
  let runs = 0
  const compose = {
    version: '2.26.1',
    lookAgain: () => look(),
    run: ({ verb }) => {
      runs++
      const isList = verb.includes('--services')
      return Promise.resolve({ stdout: isList ? 'web\n' : '{"services":{"web":{}}}', stderr: '' })
    },
    pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
  } satisfies Compose
  const models = createModelSource(compose, [])
  const read = (): ReturnType<typeof models.read> =>
    models.read({
      spec: { directory, projectName: 'shop', onChange: 'Hold' },
      env: {},
      mask: (text) => text,
      withMounts: false,
    })
  expect(await read()).toMatchObject({ model: { services: [{ name: 'web' }] } })
  const once = runs
  await read()
  expect(runs).toBe(once)
  look = () => {
    compose.version = '2.40.0'
    return Promise.resolve()
  }
  await read()
  expect(runs).toBe(2 * once)
  look = () => Promise.reject(new StagelyError('ServiceUnavailable', 'no docker-compose found'))
  expect(await read()).toEqual({
    fault: { reason: 'ComposeUnavailable', message: 'no docker-compose found' },
    missingVariables: [],
  })
})
