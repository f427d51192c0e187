// Somebody who may read logs of previews alone holds a stream of logs open, while the stagelet becomes one of production.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentPaths } from '../../../src/protocol/messages.ts'
import { startLearningWorld, type LearningWorld } from '../../support/agents/learning-world.ts'

const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
let world: LearningWorld
beforeAll(async () => {
  world = await startLearningWorld()
})
afterAll(() => world?.stop())

it('reads no line from then on', async () => {
  await world.apply('Stagelet', 'web-p', {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box-a' },
    environment: 'preview',
    compose: { directory: '/srv/p' },
  })
  const made = await world.admin('POST', '/teams/default/tokens', {
    name: 'reader',
    role: 'operator',
    projects: ['shop'],
    environments: ['preview'],
  })
  const authorization = `Bearer ${made.json<{ token: string }>().token}`
  const reading = world.second.open('/api/v1/stagelets/default%2Fweb-p/logs', { authorization })
  const { session } = JSON.parse(await world.a.told('logs')) as { session: string }
  const line = { type: 'line', service: 'web', container: 'c', stream: 'stdout' }
  const time = '2026-01-31T10:00:00Z'
  const send = (seq: number, text: string): Promise<string> =>
    world.a.post(agentPaths.logs, { session, seq, records: [{ ...line, time, text }] })
  expect(await send(0, 'of-preview')).toBe('{"state":"taken"}')
  const stream = await reading
  let told = ''
  const ended = (async () => {
    for await (const chunk of stream) told += String(chunk)
  })()
  await expect.poll(() => told).toContain('of-preview')
  const moved = await world.by('admin', 'PATCH', `${kube}/stagelets/web-p`, {
    body: { spec: { environment: 'production' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect(moved.status, moved.text).toBe(200)
  await expect
    .poll(async () => (await send(1, 'of-production')).includes('taken'), { timeout: 5_000 })
    .toBe(false)
  await ended
  expect(told).not.toContain('of-production')
})
