// A machine in foreign hands is drained, so that it gets nothing new. It says that it has the new revision already.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentPaths } from '../../../src/protocol/messages.ts'
import {
  shop,
  startLearningWorld,
  type LearningWorld,
} from '../../support/agents/learning-world.ts'
import { observationOf } from '../../support/agents/opening-agent.ts'
import { passes } from '../../support/eventually.ts'

let world: LearningWorld
beforeAll(async () => {
  world = await startLearningWorld()
})
afterAll(() => world?.stop())

const shown = async <T>(at: string): Promise<T> => {
  const path = `/apis/stagely.dev/v1alpha1/namespaces/default/${at}`
  return (await world.by('admin', 'GET', path)).json<{ status: T }>().status
}
const wanted = async (name: string): Promise<number> =>
  (await shown<{ wantedRevision: number }>(`stagelets/${name}`)).wantedRevision

it('gets nothing new by its word', async () => {
  const item = await world.a.ordered('web-a')
  const report = (seq: number, revision: number): Promise<string> => {
    const observation = observationOf(item, { revision, phase: 'Pending' })
    const body = { boot: world.a.boot, seq, observations: [observation] }
    return world.a.post(agentPaths.report, body)
  }
  const before = await wanted('web-a')
  expect(await report(1, before)).toBe('{"refused":[]}')
  await world.admin('PATCH', '/agents/default%2Fbox-a', { drained: true })
  await world.admin('PATCH', `${shop}/secrets/plain`, { value: 'kept from the drained machine' })
  await passes(async () => (await wanted('web-b')) > before)
  expect(await report(2, before + 1)).toContain('not with this revision')
  expect(await report(3, before)).toBe('{"refused":[]}')
  await world.admin('PATCH', '/agents/default%2Fbox-b', { drained: true })
  expect(await wanted('web-a')).toBe(before)
  const value = Buffer.from('kept from the drained machine').toString('base64')
  expect(await world.a.told('bundle')).not.toContain(value)
  await world.admin('PATCH', '/agents/default%2Fbox-a', { drained: false })
  await world.a.told('bundle', (text) => text.includes(value))
  expect(await report(4, before + 1)).toBe('{"refused":[]}')
})
