// A bad value rolls out, breaks a service, and is taken back: by the agent alone, whoever dies meanwhile.
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeAsRoot } from '../support/as-root.ts'
import { agentHereAfter } from '../support/agents/agent-here.ts'
import { controllerHereAfter } from '../support/programs/controller-here.ts'
import { newFilesRoot } from '../support/files.ts'
import { eventually } from '../support/eventually.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import {
  createStack,
  creationsSince,
  idleService,
  inspectProject,
  onHost,
  serviceOf,
  testImage,
  type Stack,
} from '../support/docker/stack.ts'

const compose = `services:
  web:
    image: ${testImage}
${onHost('web')}    restart: always
    init: true
    command: ["sh", "-c", "case $$CONFIG in good*) exec sleep 1000;; esac; echo cannot parse $$CONFIG; cat /config; exit 7"]
    healthcheck:
      test: ["CMD-SHELL", "[ -e /ill ] && echo ill with $$CONFIG && exit 1; case $$CONFIG in *sick*) echo nobody answers to $$CONFIG; exit 1;; esac"]
      start_interval: 300ms
      start_period: 1s
      interval: 2s
      retries: 1
${idleService('db')}`
const configFile = `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: file}
spec:
  projectRef: {name: shop}
  key: FILE
  scope: web
  type: file
  file: {target: /config}
  value: a file for web
`
interface Status {
  wantedRevision: number
  runningRevision: number
  healthyRevision: number
  quarantine?: { service: string; revision: number }[]
  conditions: { type: string; status: string; reason: string; message: string }[]
}

describeAsRoot('a value that breaks a service', () => {
  let world: World
  let stack: Stack
  const filesDir = newFilesRoot()

  const setValue = (value: string): Promise<void> => world.patchSecret('shop-config.web', value)
  const statusOf = async (): Promise<Status> =>
    ((await world.read('stagelets/shop')) as { status: Status }).status
  const revisionOf = async (): Promise<number> =>
    ((await world.read('projects/shop')) as { status: { revision: number } }).status.revision
  const valueOf = (): Promise<string | undefined> =>
    stack.environmentOf('web').then(
      (e) => e['CONFIG'],
      () => undefined,
    )
  const configured = async (): Promise<string> => {
    const web = (await inspectProject(stack.project)).findLast((c) => serviceOf(c) === 'web')
    return web?.Config.Env.join('\n') ?? ''
  }
  const inSync = (): Promise<string> =>
    world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
  const verdict = async (type: string) =>
    (await statusOf()).conditions.find((c) => c.type === type)!

  beforeAll(async () => {
    stack = await createStack(compose)
    world = await startWorld({
      controllerBy: controllerHereAfter(1),
      agentBy: agentHereAfter(1),
      database: await freshDatabase(),
      agentArgs: ['--files-dir', filesDir],
    })
    const secrets = secretYaml('CONFIG', 'good old value', 'web') + configFile
    const applied = await world.apply(
      projectYaml() + secrets + stageletYaml(stack.directory, stack.project),
    )
    expect(applied).toMatchObject({ code: 0 })
    await inSync()
  })
  afterAll(async () => {
    await world?.stop()
    await stack?.remove()
    await rm(filesDir, { recursive: true, force: true })
  })

  it('is back on the old one by itself, and says what happened', async () => {
    const before = await stack.containers()
    const { healthyRevision } = await statusOf()
    const startedAt = performance.now()
    let crashedAt = 0
    await setValue('malformed value')
    await expect
      .poll(
        async () => {
          if (crashedAt === 0 && (await configured()).includes('malformed'))
            crashedAt = performance.now()
          return crashedAt > 0 && (await valueOf()) === 'good old value'
        },
        { interval: 50 },
      )
      .toBe(true)
    await expect.poll(async () => (await verdict('Degraded')).message).toMatch(/^rolled back/)
    const now = performance.now()
    console.info(
      `crash to healthy: ${Math.round(now - crashedAt)} ms; write to healthy: ${Math.round(now - startedAt)} ms`,
    )
    const status = await statusOf()
    expect(status).toMatchObject({
      wantedRevision: healthyRevision,
      runningRevision: healthyRevision,
      healthyRevision,
      quarantine: [{ service: 'web', revision: healthyRevision + 1 }],
    })
    for (const type of ['Degraded', 'SecretsInSync', 'Ready'])
      expect((await verdict(type)).reason).toBe('RolledBack')
    expect((await verdict('SecretsInSync')).status).toBe('False')
    const { message } = await verdict('Degraded')
    expect(message).toMatch(
      /service web: container \S+-web-1 keeps crashing \(\d restarts, last exit code 7\)/,
    )
    expect(message).toContain('cannot parse ***REDACTED***\n***REDACTED***')
    expect((await stack.containers())['db']).toEqual(before['db'])
    const told = (): Promise<string> => world.must('describe', 'stagelet', 'shop')
    for (const reason of ['RolloutStarted', 'RolledBack', 'Healthy'])
      await eventually(told).toContain(reason)
    const described = await told()
    for (const text of [described, world.allOutput()]) {
      expect(text).not.toContain('malformed value')
      expect(text).not.toContain('a file for web')
    }
  })

  it('is not run again by another change, and gives way to the next good one', async () => {
    const held = await stack.containers()
    await world.apply(secretYaml('OTHER', 'something else', 'db'))
    await expect.poll(revisionOf).toBe(3)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect((await statusOf()).wantedRevision).toBe(1)
    expect((await stack.containers())['web']).toEqual(held['web'])
    await setValue('good new value')
    await inSync()
    expect(await valueOf()).toBe('good new value')
    expect((await stack.environmentOf('db'))['OTHER']).toBe('something else')
    expect((await statusOf()).quarantine).toBeUndefined()
    expect((await verdict('Degraded')).status).toBe('False')
  })

  it('is taken back while the controller is dead, and by an agent that was killed in the middle', async () => {
    await setValue('second malformed value')
    await expect.poll(configured, { interval: 50 }).toContain('second malformed')
    await world.controller.kill('SIGKILL')
    // The rollback has begun when the container with the bad value goes.
    await expect.poll(configured, { interval: 20 }).not.toContain('second malformed')
    await world.agent.kill('SIGKILL')
    await world.startController()
    await world.startAgent()
    await expect.poll(valueOf).toBe('good new value')
    await expect.poll(async () => (await verdict('Degraded')).message).toMatch(/^rolled back/)
    expect((await statusOf()).quarantine).toHaveLength(1)
  })

  it('is tried again when somebody asks for it', async () => {
    const annotations = { 'stagely.dev/retry': 'once more' }
    await world.patch('stagelets/shop', { metadata: { annotations } })
    await expect.poll(configured, { interval: 50 }).toContain('second malformed')
    await expect.poll(valueOf).toBe('good new value')
    await setValue('good last value')
    await inSync()
  })

  it('takes back nothing that was written before it, though that was not proven yet', async () => {
    const { healthyRevision, wantedRevision } = await statusOf()
    expect(healthyRevision).toBe(wantedRevision)
    const since = Date.now() / 1000
    await world.apply(secretYaml('OTHER', 'something else again', 'db'))
    await expect.poll(revisionOf, { interval: 20 }).toBe(healthyRevision + 1)
    await setValue('third malformed value')
    const settled = { wantedRevision: healthyRevision + 1, healthyRevision: healthyRevision + 1 }
    await expect.poll(statusOf).toMatchObject({
      ...settled,
      quarantine: [{ service: 'web', revision: healthyRevision + 2 }],
    })
    expect(await valueOf()).toBe('good last value')
    expect((await stack.environmentOf('db'))['OTHER']).toBe('something else again')
    expect(await creationsSince(stack, since)).toEqual({ db: 1, web: 2 })
    await setValue('good last value')
    await inSync()
  })

  it('is not blamed where the service gets ill later, which is told in full', async () => {
    const { id } = (await stack.containers())['web']!
    await stack.docker('exec', id, 'touch', '/ill')
    await expect
      .poll(async () => (await verdict('Degraded')).message)
      .toMatch(
        /^service web: container \S+-web-1 is unhealthy \(0 restarts\)\nhealth check: ill with \*\*\*REDACTED\*\*\*$/,
      )
    expect((await verdict('Degraded')).reason).toBe('ServiceUnhealthy')
    expect((await stack.containers())['web']?.id).toBe(id)
  })

  it('is taken back as well where it only makes the service unhealthy', async () => {
    await setValue('good but sick')
    await expect
      .poll(async () => (await verdict('Degraded')).message)
      .toMatch(/^rolled back[^]* is unhealthy/)
    expect(await valueOf()).toBe('good last value')
    const { message } = await verdict('Degraded')
    expect(message).toMatch(/service web: container \S+-web-1 is unhealthy \(0 restarts\)/)
    expect(message).toContain('health check: nobody answers to ***REDACTED***')
    expect((await statusOf()).quarantine?.at(-1)).toMatchObject({ service: 'web' })
  })

  it('is taken back as well where it comes by a move to another environment', async () => {
    await setValue('good last value')
    await inSync()
    await world.patch('projects/shop', { spec: { environments: [{ name: 'next' }] } })
    const next = secretYaml('CONFIG', 'malformed in next', 'web', 'next')
    await world.apply(
      next.replace('{name: next}', '{name: shop}').replace('key:', 'environments: [next]\n  key:'),
    )
    await inSync()
    const since = Date.now() / 1000
    const revision = await revisionOf()
    await world.patch('stagelets/shop', { spec: { environment: 'next' } })
    await expect.poll(statusOf).toMatchObject({
      wantedRevision: revision,
      quarantine: expect.arrayContaining([
        expect.objectContaining({ service: 'web', revision: revision + 1 }),
      ]) as unknown,
    })
    await expect.poll(async () => (await verdict('Degraded')).message).toMatch(/^rolled back/)
    expect(await valueOf()).toBe('good last value')
    expect(await creationsSince(stack, since)).toEqual({ web: 2 })
    await world.patch('stagelets/shop', { spec: { environment: null } })
    await inSync()
    expect(await creationsSince(stack, since)).toEqual({ web: 2 })
  })
})
