// This build and the one before it: what docs/operations.md promises of upgrades. What is of today runs in the test's
// process.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { describeAsRoot } from '../support/as-root.ts'
import { agentHere } from '../support/agents/agent-here.ts'
import { startAgentProcess } from '../support/agents/agent-process.ts'
import { buildBefore, giveDatabaseOf } from '../support/programs/build-before.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { newFilesRoot } from '../support/files.ts'
import {
  controllerReady,
  runCli,
  startProgram,
  startWorld,
  testMasterKey,
  type World,
} from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { createStack, creationsSince, idleService, type Stack } from '../support/docker/stack.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'

const fileYaml = `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: shop-config.files}
spec:
  projectRef: {name: shop}
  key: CONFIG
  scope: files
  type: file
  file: {target: /config}
  value: a file of before
`
const secretsYaml =
  secretYaml('SHARED', 'for all') +
  secretYaml('TOKEN', 'first token', 'web') +
  secretYaml('GONE', 'a value that comes back', 'web') +
  secretYaml('TOKEN', 'token of other', 'other') +
  fileYaml

let before: string
beforeAll(async () => {
  before = await buildBefore()
})

type Build = 'before' | 'today'
interface Builds {
  controller: Build
  agent: Build
}

interface Started {
  readonly world: World
  readonly stack: Stack
  /** What runs at the next start. */
  readonly builds: Builds
  /** Writes a value, and waits for it. */
  change(name: string, value: string): Promise<void>
  inSync(): Promise<string>
  remove(): Promise<void>
}

const start = async (builds: Builds, databaseUrl: string | undefined): Promise<Started> => {
  const services = ['web', 'other', 'files'].map((name) => idleService(name)).join('')
  const stack = await createStack(`services:\n${services}`)
  const filesDir = newFilesRoot()
  const agentArgs = ['--files-dir', filesDir]
  const world = await startWorld({
    ...(databaseUrl === undefined
      ? { prepare: (dir) => giveDatabaseOf(before, dir) }
      : { databaseUrl }),
    agentArgs,
    controllerBy: (args, env) =>
      builds.controller === 'today'
        ? controllerHere(args, env)
        : startProgram(['controller', ...args], env, controllerReady, { built: before }),
    agentBy: (args, env) =>
      builds.agent === 'today'
        ? agentHere(args, env)
        : startAgentProcess(args, env, { built: before }),
  })
  const inSync = (): Promise<string> =>
    world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '120s')
  const objects = projectYaml() + secretsYaml + stageletYaml(stack.directory, stack.project)
  expect(await world.apply(objects)).toMatchObject({ code: 0 })
  await inSync()
  return {
    world,
    stack,
    builds,
    inSync,
    change: async (name, value) => {
      await world.patchSecret(name, value)
      await inSync()
    },
    remove: async () => {
      await world.stop()
      await stack.remove()
      await rm(filesDir, { recursive: true, force: true })
    },
  }
}

const verified = /rows are as they were written/

describeAsRoot('a controller and an agent of the build before', () => {
  let t: Started
  /** Before anything of today ran (unix seconds). */
  let since: number
  beforeAll(async () => {
    t = await start({ controller: 'before', agent: 'before' }, undefined)
    await t.change('shop-token.web', 'second token')
    await t.world.must('secrets', 'delete', 'GONE', '-p', 'shop', '-s', 'web', '--yes')
    await t.inSync()
    await t.change('shop-token.web', 'third token')
    since = Date.now() / 1000
  })
  afterAll(() => t?.remove())

  it('leave a folder that a controller of today starts on, with an audit log that is whole', async () => {
    await t.world.controller.kill('SIGTERM')
    t.builds.controller = 'today'
    await t.world.startController()
    expect(t.world.controller.output()).toContain('database migrated')
    expect(await t.world.must('admin', 'audit', 'verify')).toMatch(verified)
  })

  it('leave an agent that goes on: a change reaches its container, and no other is made', async () => {
    await t.change('shop-token.web', 'fourth token')
    expect(await creationsSince(t.stack, since)).toEqual({ web: 1 })
    expect(await t.stack.environmentOf('web')).toEqual({ SHARED: 'for all', TOKEN: 'fourth token' })
  })

  it('leave secrets whose versions are there, and deleted ones that come back', async () => {
    const where = ['-p', 'shop', '-s', 'web']
    await t.world.must('secrets', 'rollback', 'TOKEN', ...where, '--to-version', '2', '--yes')
    await t.world.must('secrets', 'restore', 'GONE', ...where)
    await t.inSync()
    expect(await t.stack.environmentOf('web')).toEqual({
      SHARED: 'for all',
      TOKEN: 'second token',
      GONE: 'a value that comes back',
    })
  })

  it('are both followed by those of today, and only what changes gets new containers', async () => {
    const replaced = Date.now() / 1000
    await t.world.agent.kill('SIGTERM')
    t.builds.agent = 'today'
    await t.world.startAgent()
    await t.change('shop-token.other', 'other token of today')
    expect(await creationsSince(t.stack, replaced)).toEqual({ other: 1 })
    await t.change('shop-config.files', 'a file of today')
    expect(await creationsSince(t.stack, replaced)).toEqual({ other: 1, files: 1 })
    const { files } = await t.stack.containers()
    expect(await t.stack.docker('exec', files!.id, 'cat', '/config')).toBe('a file of today')
  })
})

describeAsRoot('an agent of today with a controller of the build before', () => {
  let t: Started
  let database: Awaited<ReturnType<typeof createTestDatabase>>
  let backup: string
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'))
    t = await start({ controller: 'before', agent: 'today' }, database.url)
  })
  afterAll(async () => {
    await t?.remove()
    await database?.drop()
  })

  it('gets what changes', async () => {
    backup = join(t.world.dir, 'before.backup')
    await t.world.must('admin', 'backup', '--to', backup)
    const since = Date.now() / 1000
    await t.change('shop-token.web', 'a second token')
    await t.change('shop-config.files', 'a second file')
    expect(await creationsSince(t.stack, since)).toEqual({ web: 1, files: 1 })
  })

  it('goes on under one of today, on the same server, and makes no container anew', async () => {
    const since = Date.now() / 1000
    await t.world.controller.kill('SIGTERM')
    t.builds.controller = 'today'
    await t.world.startController()
    expect(await t.world.must('admin', 'audit', 'verify')).toMatch(verified)
    await t.change('shop-token.other', 'other token of today')
    expect(await creationsSince(t.stack, since)).toEqual({ other: 1 })
  })

  it('follows a backup of before that is restored today', async () => {
    await t.world.controller.kill('SIGTERM')
    const args = ['restore', backup, '--data-dir', t.world.controllerDir, '--force', '--yes']
    const env = { DATABASE_URL: database.url, STAGELY_SECRET_KEY: testMasterKey }
    expect(await runCli(args, env)).toMatchObject({ code: 0 })
    await t.world.startController()
    expect(await t.world.must('admin', 'audit', 'verify')).toMatch(verified)
    const values = async (): Promise<unknown> => {
      // Its container may be on its way.
      const found = await t.stack.environmentOf('web').catch(() => undefined)
      return found
    }
    await expect.poll(values, { timeout: 150_000 }).toEqual({
      SHARED: 'for all',
      TOKEN: 'first token',
      GONE: 'a value that comes back',
    })
    await t.change('shop-token.web', 'token after the restore')
  })

  it('keeps its database from a controller of before, which does not start on a newer one', async () => {
    await t.world.controller.kill('SIGTERM')
    t.builds.controller = 'before'
    await expect(t.world.startController()).rejects.toThrow(/newer program/)
  })
})
