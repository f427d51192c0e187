// A machine in foreign hands says that it has a revision that it was not sent: one that is still to come, or one of a stagelet
// that may not start yet. Its word gets it nothing, not later either.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentPaths, type DesiredStagelet } from '../../../src/protocol/messages.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import {
  shop,
  startLearningWorld,
  type LearningWorld,
} from '../../support/agents/learning-world.ts'
import { observationOf } from '../../support/agents/opening-agent.ts'
import { passes } from '../../support/eventually.ts'

let world: LearningWorld
let seq = 0
beforeAll(async () => {
  world = await startLearningWorld()
})
afterAll(() => world?.stop())

const wanted = async (name: string): Promise<number | undefined> => {
  const path = `/apis/stagely.dev/v1alpha1/namespaces/default/stagelets/${name}`
  return (await world.by('admin', 'GET', path)).json<{ status?: StageletStatus }>().status
    ?.wantedRevision
}
const say = (item: DesiredStagelet, more: object): Promise<string> => {
  const observation = observationOf(item, { phase: 'Pending', ...more })
  seq += 1
  return world.a.post(agentPaths.report, { boot: world.a.boot, seq, observations: [observation] })
}
/** Once the other machine has got a set with this value. */
const onlyElsewhere = async (value: string): Promise<number> => {
  await world.admin('PATCH', `${shop}/secrets/plain`, { value })
  const text = Buffer.from(value).toString('base64')
  await world.b.told('bundle', (bundle) => bundle.includes(text))
  const revision = (await world.b.ordered('web-b')).revision
  await passes(async () => (await wanted('web-b')) === revision)
  return revision
}

it('gets no revision that it has named before it was there', async () => {
  const item = await world.a.ordered('web-a')
  expect(await say(item, { revision: 1_000_000 })).toBe('{"refused":[]}')
  await world.admin('PATCH', '/agents/default%2Fbox-a', { drained: true })
  const value = 'kept from a machine that is drained'
  expect(await onlyElsewhere(value)).toBeGreaterThan(item.revision)
  await world.admin('PATCH', '/stagelets/default%2Fweb-a', { paused: true })
  await world.a.told('stagelet', (text) => text.includes('"paused":true'))
  expect(await wanted('web-a')).toBe(item.revision)
  expect(await world.a.told('bundle')).not.toContain(Buffer.from(value).toString('base64'))
})

it('gets no set of a stagelet that may not start yet', async () => {
  await world.apply('Stagelet', 'fresh', {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box-a' },
    environment: 'production',
    compose: { directory: '/srv/fresh' },
  })
  // Whoever asks for its logs tells the machine of it.
  const path = '/api/v1/stagelets/default%2Ffresh/logs'
  const asked = world.by('admin', 'GET', path)
  const { stageletUid: uid } = JSON.parse(await world.a.told('logs')) as { stageletUid: string }
  const item = { ...(await world.a.ordered('web-a')), uid, generation: 1 }
  const revision = await onlyElsewhere('kept from one that has not begun')
  expect(await say(item, { revision })).toContain('not with this revision')
  expect(await say(item, { revision: 0 })).toBe('{"refused":[]}')
  expect(await wanted('fresh')).toBeUndefined()
  expect(await world.a.told('bundle')).not.toContain(uid)
  await asked
})
