// Two machines with the identity of one agent, over real TLS.
import { afterEach, expect, test } from 'vitest'
import { agentPaths } from '../../../src/protocol/messages.ts'
import {
  createStack,
  eventually,
  joinTestAgent,
  skewClock,
  startTestAgent,
  startTestController,
  type TestAgent,
  type TestController,
} from '../../support/agents/agent-protocol.ts'

let controller: TestController
const agents: TestAgent[] = []
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop()
  await controller.close()
})

const told = async (): Promise<string[]> =>
  (await controller.opened.store.list('Event', { namespace: 'default' })).items
    .map(({ spec }) => spec)
    .filter((e) => e.involvedObject.name === 'box' && e.reason === 'DuplicateIdentity')
    .map((e) => `${e.type} ${e.count} ${e.message}`)

test('two machines with one identity are told of when one that was replaced comes back, once', async () => {
  controller = await startTestController()
  const identity = await joinTestAgent(await controller.token('box'))
  const connect = async (boot: string): Promise<void> => {
    const agent = startTestAgent(identity, { about: { boot } })
    agents.push(agent)
    await eventually(() => agent.connections === 1)
  }
  /** Comes after whatever is written for the streams until now. */
  const barrier = (name: string): Promise<void> => createStack(controller, name, 'box')
  await connect('first machine')
  // As after a loss of power, where the old stream is not known to have ended.
  await connect('second machine')
  await connect('second machine')
  await barrier('before')
  expect(await told()).toEqual([])
  await connect('first machine')
  await eventually(async () => (await told()).length > 0)
  await connect('second machine')
  await barrier('after')
  expect(await told()).toEqual([
    expect.stringMatching(/^Warning 1 two machines .*\(stagely agent revoke box\)/),
  ])
})

test('two machines with streams on different replicas are told of when the older one goes on reporting', async () => {
  controller = await startTestController()
  const identity = await joinTestAgent(await controller.token('box'))
  const agent = startTestAgent(identity, { about: { boot: 'first machine' } })
  agents.push(agent)
  await eventually(() => agent.connections === 1)
  let seq = 100
  const report = (): Promise<unknown> =>
    agent.client.post({
      path: agentPaths.report,
      body: { boot: 'first machine', seq: seq++, observations: [] },
    })
  await report()
  // As another replica notes it.
  await controller.opened.connections.open(identity.agentUid, 'second machine')
  await expect(report()).rejects.toMatchObject({ reason: 'StaleBoot' })
  // What was on its way when an agent was started anew comes within a moment.
  skewClock(controller, 30_000)
  await expect(report()).rejects.toMatchObject({ reason: 'StaleBoot' })
  await createStack(controller, 'before', 'box')
  expect(await told()).toEqual([])
  skewClock(controller, 61_000)
  await expect(report()).rejects.toMatchObject({ reason: 'StaleBoot' })
  await eventually(async () => (await told()).length > 0)
  expect(await told()).toEqual([expect.stringMatching(/^Warning 1 two machines /)])
})
