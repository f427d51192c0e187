// A machine in foreign hands reports news again and again, within its budget of bytes. Each is taken, and few are looked at:
// what one of them makes is told to people, and stays.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentPaths } from '../../../src/protocol/messages.ts'
import { startLearningWorld, type LearningWorld } from '../../support/agents/learning-world.ts'
import { observationOf } from '../../support/agents/opening-agent.ts'
import { passes } from '../../support/eventually.ts'

let world: LearningWorld
beforeAll(async () => {
  world = await startLearningWorld()
})
afterAll(() => world?.stop())

it('makes no event and no activity of each of its reports, and the last one counts', async () => {
  const item = await world.a.ordered('web-a')
  const reports = 400
  const report = (seq: number): Promise<string> => {
    const isOdd = seq % 2 === 1
    const since = new Date(1e12 + seq * 1000).toISOString()
    const observation = observationOf(item, {
      services: [{ name: 'web', digests: [''], containers: 1, state: 'running', restarts: seq }],
      drift: {
        state: isOdd ? 'Found' : 'Healed',
        since,
        changes: [{ service: 'web', container: `web-${seq}`, what: 'Died' }],
      },
    })
    const body = { boot: world.a.boot, seq, observations: [observation] }
    return world.a.post(agentPaths.report, body)
  }
  const restarts = async (): Promise<unknown> => {
    const path = '/apis/stagely.dev/v1alpha1/namespaces/default/stagelets/web-a'
    const { status } = (await world.by('admin', 'GET', path)).json<{
      status: { services?: { restarts?: number }[] }
    }>()
    return status.services?.[0]?.restarts
  }
  for (let seq = 1; seq <= reports; seq += 1) expect(await report(seq)).toBe('{"refused":[]}')
  await passes(async () => (await restarts()) === reports)
  const events = await world.by('admin', 'GET', '/api/v1/namespaces/default/events')
  const { items } = events.json<{ items: { reason: string }[] }>()
  const ofDrift = items.filter(({ reason }) => reason.startsWith('Drift'))
  expect(ofDrift.length).toBeGreaterThan(0)
  expect(ofDrift.length).toBeLessThan(reports / 4)
})

it('is heard once with each batch of logs, while somebody reads', async () => {
  const reading = world.second.open('/api/v1/stagelets/default%2Fweb-a/logs', {})
  const { session } = JSON.parse((await world.a.told('logs')).split('\n').at(-1)!) as {
    session: string
  }
  const line = {
    type: 'line',
    service: 'web',
    container: 'web-1',
    stream: 'stdout',
    time: '2026-01-31T10:00:00Z',
    text: 'x'.repeat(30_000),
  }
  const batch = (seq: number, lines: number): Promise<string> =>
    world.a.post(agentPaths.logs, { session, seq, records: Array(lines).fill(line) as object[] })
  expect(await batch(0, 1)).toBe('{"state":"taken"}')
  let read = 0
  const reader = (async () => {
    for await (const chunk of await reading) read += String(chunk).length
  })()
  const mib = 35
  // As much as the reader takes.
  for (let seq = 1; seq <= 10; seq += 1) expect(await batch(seq, 3 * mib)).toContain('state')
  expect(read).toBeGreaterThan(30_000)
  let refused = ''
  for (let i = 0; i < 10 && refused === ''; i += 1) {
    const answer = await batch(1, 3 * mib)
    if (!answer.includes('taken')) refused = answer
  }
  expect(refused).toContain('more than the controller works on')
  await world.second.stop()
  await reader.catch(() => undefined)
})
