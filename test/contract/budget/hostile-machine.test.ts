// A machine in foreign hands sends what is as heavy as it may be, while an admin writes and /healthz is asked. The budget:
// test/support/served.ts.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentPaths } from '../../../src/protocol/messages.ts'
import { startLearningWorld, type LearningWorld } from '../../support/agents/learning-world.ts'
import { observationOf } from '../../support/agents/opening-agent.ts'
import { passes } from '../../support/eventually.ts'
import { expectServed } from '../../support/served.ts'

let world: LearningWorld
let seq = 0
beforeAll(async () => {
  world = await startLearningWorld()
})
afterAll(() => world?.stop())

const served = (attack: () => Promise<unknown>): Promise<void> =>
  expectServed({ server: world.first, project: 'shop' }, attack)

const instant = (n: number): string => new Date(1e12 + n * 1000).toISOString()
const many = <T>(count: number, one: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => one(i))

/** What the machine may say of its one stagelet; taken, or put off where that is too much for now. */
const report = async (more: object): Promise<void> => {
  const item = await world.a.ordered('web-a')
  seq += 1
  const observation = observationOf(item, more)
  const body = { boot: world.a.boot, seq, observations: [observation] }
  expect(await world.a.post(agentPaths.report, body)).toMatch(
    /^\{"refused":\[\]\}$|more than the controller works on|came after report/,
  )
}

const service = (name: string, more: object = {}): object => ({
  name,
  digests: [''],
  containers: 1,
  state: 'running',
  restarts: 0,
  ...more,
})

/** Once the status tells of a report that came after all others. */
const isShown = async (): Promise<void> => {
  const mark = `last-${seq}`
  await passes(async () => {
    await report({ services: [service(mark)] })
    const path = '/apis/stagely.dev/v1alpha1/namespaces/default/stagelets/web-a'
    return (await world.by('admin', 'GET', path)).text.includes(mark)
  })
}

it('of 480 services with 50 new containers each, three times, holds up nobody', () =>
  served(async () => {
    for (let round = 0; round < 3; round += 1) {
      const services = many(480, (n) => {
        const digests = many(50, (i) => `${seq}-${n}-${i}`)
        const oldest = digests.map((id, i) => ({ id, made: instant(i) }))
        return service(`service-${n}`, { digests, containers: 50, oldest })
      })
      await report({ services })
    }
    await isShown()
  }))

it('of long texts in each field that has some, 12 at once, holds up nobody', () =>
  served(async () => {
    const text = (i: number): string => `${i} ${'<\u001b[31m$&\n'.repeat(1_000)}`
    await Promise.all(
      many(12, (round) =>
        report({
          services: many(20, (i) => service(`service-${i}`, { state: 'exited', detail: text(i) })),
          missingVariables: many(500, (i) => `VARIABLE_${round}_${i}`),
          drift: {
            state: 'Found',
            since: instant(round),
            changes: many(20, (i) => {
              const container = `container-${round}-${i}`
              return { service: `service-${i}`, container, what: 'Died', by: text(i) }
            }),
          },
          hand: {
            command: text(round),
            user: 'somebody',
            at: instant(round),
            exitCode: 0,
            touched: many(500, (i) => `service-${i}`),
          },
        }),
      ),
    )
    await isShown()
  }))

it('of 200 reports that each say something new holds up nobody', () =>
  served(async () => {
    for (let round = 0; round < 50; round += 1)
      await Promise.all(
        many(4, (i) =>
          report({
            services: [service('web', { restarts: round * 4 + i })],
            removed: many(100, (n) => {
              const id = `container-${round}-${i}-${n}`
              return { id, service: 'web', digest: 'x', at: instant(round) }
            }),
          }),
        ),
      )
    await isShown()
  }))

it('of lines of logs, 80 MiB while somebody reads, holds up nobody', async () => {
  const read = world.second.open('/api/v1/stagelets/default%2Fweb-a/logs', {})
  const { session } = JSON.parse((await world.a.told('logs')).split('\n').at(-1)!) as {
    session: string
  }
  const reader = (async () => {
    for await (const chunk of await read) expect(chunk).toBeDefined()
  })()
  const line = {
    type: 'line',
    service: 'web',
    container: 'web-1',
    stream: 'stdout',
    time: instant(0),
  }
  let batch = 0
  await served(async () => {
    for (let i = 0; i < 60; i += 1) {
      const records = many(35, (n) => ({ ...line, text: `${n} ${'<x&'.repeat(10_000)}` }))
      const answer = await world.a.post(agentPaths.logs, { session, seq: batch, records })
      if (answer.includes('taken')) batch += 1
    }
  })
  expect(batch).toBeGreaterThan(3)
  await world.second.stop()
  await reader.catch(() => undefined)
})
