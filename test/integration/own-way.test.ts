// Each service goes its own way: what cannot be made, or never gets healthy, holds up only who needs it.
import { writeFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { desiredFor, held, startMachine, type Machine } from '../support/docker/docker.ts'
import { newerCompose } from '../support/docker/newer-compose.ts'
import {
  createStack,
  idleService,
  recreatedBetween,
  testImage,
  type Stack,
} from '../support/docker/stack.ts'

let stack: Stack
let machine: Machine

afterEach(async () => {
  await machine.stop()
  await stack.remove()
})

const start = async (compose: string): Promise<void> => {
  stack = await createStack(compose)
  machine = await startMachine(stack)
}
const value = (text: string) => [held('VALUE', text)]
const valueOf = async (service: string): Promise<string | undefined> =>
  (await stack.environmentOf(service))['VALUE']

describe('a rotation goes on', () => {
  const others = `${idleService('web')}${idleService('needs', '    depends_on: [lost]\n')}`

  it('where the image of one service is gone, and that one follows when it is back', async () => {
    const lost = `stagely-test/lost-${process.pid}:1`
    await start(`services:\n${idleService('lost').replace(testImage, lost)}${others}`)
    await stack.docker('tag', testImage, lost)
    try {
      await machine.roll(value('one'))
      await stack.docker('rmi', lost)
      const before = await stack.containers()
      machine.loop.setDesired(desiredFor(stack, { revision: 2 }), value('two'))
      const report = await machine.until((r) => r.revision === 2 && r.rollout?.result === 'Failed')
      expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
      expect(await valueOf('web')).toBe('two')
      expect(report.rollout).toMatchObject({ service: 'lost' })
      expect(report.rollout?.message).toContain(`image ${lost}`)
      // As soon as it failed, and not only when the rest had been judged.
      const early = machine.reports.find(
        (r) => r.revision === 2 && r.rollout?.message !== undefined,
      )
      expect(early?.rollout).toMatchObject({ result: 'Progressing', service: 'lost' })
      const details = Object.fromEntries(report.services.map((s) => [s.name, s.detail]))
      expect(details).toMatchObject({ needs: 'waits for lost', web: undefined })
      expect(details['lost']).toContain(lost)
      // While it waits for the next try, all else is healed.
      await stack.docker('rm', '-f', (await stack.containers())['web']!.id)
      await machine.until((r) => r.services.find((s) => s.name === 'web')?.state === 'running')
      await stack.docker('tag', testImage, lost)
      await machine.until((r) => r.phase === 'Settled' && r.revision === 2, 120_000)
      expect(await valueOf('lost')).toBe('two')
      expect(await valueOf('needs')).toBe('two')
    } finally {
      await stack.docker('rmi', lost).catch(() => undefined)
    }
  })

  it('where one never gets healthy from the first deployment on', async () => {
    const sick = `    healthcheck: {test: ["CMD", "false"], interval: 200ms, retries: 1}\n`
    const needs = '    depends_on: {lost: {condition: service_healthy}}\n'
    await start(
      `services:\n${idleService('lost', sick)}${idleService('web')}${idleService('needs', needs)}`,
    )
    machine.loop.setDesired(desiredFor(stack, { revision: 1 }), value('one'))
    const report = await machine.until((r) => r.rollout?.result === 'Failed')
    expect(report.rollout).toMatchObject({ service: 'lost' })
    expect(report.services.find((s) => s.name === 'needs')?.detail).toBe('waits for lost')
    expect(await valueOf('web')).toBe('one')
    expect(report.passed).toHaveProperty('web')
  })
})

describe('a deploy of an image that is neither here nor to be pulled', () => {
  it.each([
    ["the machine's Compose", undefined],
    ['a newer Compose', newerCompose],
  ])(
    'is told as such by %s, leaves its service running, and rolls out the rest',
    async (_, find) => {
      const files = `services:\n${idleService('web')}${idleService('db')}`
      stack = await createStack(files)
      machine = await startMachine(stack, find === undefined ? {} : { composeBinary: await find() })
      await machine.roll(value('one'))
      const before = await stack.containers()
      const absent = 'stagely-test/absent:9'
      const edited = `services:\n${idleService('web').replace(testImage, absent)}${idleService('db', '    labels: {edited: "1"}\n')}`
      await stack.write(edited)
      machine.loop.setDesired(desiredFor(stack, { revision: 1, redeploy: 'now' }), value('one'))
      const report = await machine.until((r) => r.rollout?.result === 'Failed')
      expect(report.rollout?.message).toMatch(`service web: image ${absent} is not on this machine`)
      expect(report.pendingEdits).toContain('web')
      expect(recreatedBetween(before, await stack.containers())).toEqual(['db'])
    },
  )
})

it('judges what a deploy has touched, also where another deploy comes in its midst', async () => {
  const sick = `    labels: {edited: "1"}\n    healthcheck: {test: ["CMD", "test", "-e", "/ok"], interval: 200ms, retries: 1, start_period: 60s}\n`
  await start(`services:\n${idleService('web')}`)
  await machine.roll([])
  await stack.write(`services:\n${idleService('web', sick)}`)
  machine.loop.setDesired(desiredFor(stack, { revision: 1, redeploy: 'one' }), [])
  await machine.until((r) => r.phase === 'Applying')
  machine.loop.setDesired(desiredFor(stack, { revision: 1, redeploy: 'two' }), [])
  await machine.until((r) => r.waitingFor?.join().includes('health') === true)
  await stack.docker('exec', (await stack.containers())['web']!.id, 'touch', '/ok')
  const report = await machine.until((r) => r.phase === 'Settled')
  expect(report.rollout).toMatchObject({ result: 'Healthy', recreated: ['web'] })
})

describe('the files of a stack that runs', () => {
  it('are looked at as soon as they change', async () => {
    const compose = `services:\n${idleService('web', '    env_file: web.env\n')}`
    await start(compose)
    await writeFile(join(stack.directory, 'web.env'), 'OF_FILE=1\n')
    await stack.keepTree()
    await machine.roll(value('one'))
    const faultWithin = async (ms: number, change: () => Promise<void>) => {
      await change()
      return (await machine.until((r) => r.fault !== undefined, ms)).fault
    }
    const fault = await faultWithin(10_000, () => rm(join(stack.directory, 'web.env')))
    expect(fault?.reason).toBe('ComposeInvalid')
    expect(fault?.message).toContain('web.env')
    await writeFile(join(stack.directory, 'web.env'), 'OF_FILE=1\n')
    await machine.until((r) => r.fault === undefined, 10_000)
    const broken = () =>
      writeFile(join(stack.directory, 'docker-compose.yml'), `${compose}  broken: [\n`)
    expect((await faultWithin(10_000, broken))?.reason).toBe('ComposeInvalid')
    await writeFile(join(stack.directory, 'docker-compose.yml'), compose)
    await machine.until((r) => r.fault === undefined, 10_000)
    await stack.keepTree()
  })
})
