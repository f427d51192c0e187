// Tasks of agents over real TLS: who is asked, whose answer counts, and what becomes of one that never comes. And the
// bundles that an agent keeps, by what it says that it knows.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Facts } from '../../../src/databases/step.ts'
import { agentPaths, type OnDemandOrder } from '../../../src/protocol/messages.ts'
import type { TaskOrder } from '../../../src/protocol/tasks.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import {
  createStack,
  eventually,
  joinTestAgent,
  putSecrets,
  startTestAgent,
  startTestController,
  type TestAgent,
  type TestController,
} from '../../support/agents/agent-protocol.ts'

const task = {
  rotation: 'uid-of-rotation',
  attempt: '1',
  step: 'look',
  stageletUid: 'uid',
  service: 'db',
  plugin: 'postgres',
  params: { login: { password: 'a-candidate' } },
}

let controller: TestController
let agent: TestAgent
let other: TestAgent
const orders: TaskOrder[] = []
const take = (order: OnDemandOrder): void => {
  if (order.type === 'task') orders.push(order)
}
const connect = async (name: string, tweak: object = {}): Promise<TestAgent> => {
  const identity = await joinTestAgent(await controller.token(name))
  const started = startTestAgent(identity, { onAsked: take, ...tweak })
  await eventually(() => started.connections === 1)
  return started
}

beforeAll(async () => {
  controller = await startTestController()
  agent = await connect('box')
  other = await connect('other', { knows: ['countPrinted'] })
})
afterAll(async () => {
  await agent?.stop()
  await other?.stop()
  await controller?.close()
})

describe('a task of an agent', () => {
  const run = (signal = new AbortController().signal, agentKey = 'default/box'): Promise<Facts> =>
    controller.routes.tasks.run(agentKey, task, signal)
  const answer = (from: TestAgent, body: object): Promise<unknown> =>
    from.client.post({ path: agentPaths.tasks, body })

  it('is asked of the agent that is named, and has the facts that it answers', async () => {
    const running = run()
    await eventually(() => orders.length === 1)
    expect(orders[0]).toMatchObject({ type: 'task', ...task })
    const { id } = orders[0]!
    const facts = { accepted: 'refused' }
    expect(await answer(other, { id, facts: { accepted: 'accepted' } })).toEqual({ state: 'ended' })
    expect(await answer(agent, { id, facts })).toEqual({ state: 'taken' })
    expect(await running).toEqual(facts)
    expect(await answer(agent, { id, facts })).toEqual({ state: 'ended' })
  })

  it('has the fault that the agent answers', async () => {
    orders.length = 0
    const running = run()
    await eventually(() => orders.length === 1)
    const fault = { kind: 'Refused', message: 'this agent does no tasks' }
    const told = expect(running).rejects.toMatchObject({ name: 'StepFault', ...fault })
    await answer(agent, { id: orders[0]!.id, fault })
    await told
  })

  it('has no facts where the agent is older than tasks', async () => {
    await expect(run(undefined, 'default/other')).rejects.toMatchObject({
      kind: 'Refused',
      message: expect.stringMatching(
        /default\/other.*older than tasks of agents: upgrade/,
      ) as string,
    })
  })

  it('ends with whoever wants it; a late answer counts for nothing', async () => {
    orders.length = 0
    const ending = new AbortController()
    const running = run(ending.signal)
    await eventually(() => orders.length === 1)
    const told = expect(running).rejects.toMatchObject({ kind: 'Unreachable' })
    ending.abort()
    await told
    const late = { id: orders[0]!.id, facts: {} }
    expect(await answer(agent, late)).toEqual({ state: 'ended' })
    expect(await answer(agent, { id: randomUUID(), facts: {} })).toEqual({ state: 'ended' })
  })

  it('takes no answer that is too long or of another shape', async () => {
    for (const body of [
      { id: 'x', facts: { accepted: 'perhaps' } },
      { id: 'x', fault: { kind: 'Other', message: '' } },
      { id: 'x', fault: { kind: 'Failed', message: 'x'.repeat(2_001) } },
    ])
      await expect(answer(agent, body)).rejects.toMatchObject({ status: 400 })
  })
})

describe('what was closed before the revision to run, and is newer than the healthy one', () => {
  const stagelet = (name: string) => ({ kind: 'Stagelet', namespace: 'default', name }) as const
  const start = async (to: TestAgent, name: string) => {
    const { store } = controller.opened
    const isWanted = (text: string) => eventually(() => to.wants.at(-1) === `${name} ${text}`)
    const judge = (status: Partial<StageletStatus>): Promise<unknown> =>
      store.write({ name: 't', source: 'system', authority: 'whole' }, {}, async (tx) => {
        const it = (await tx.get(stagelet(name)))!
        await tx.setStatus({ ...it, status: { ...it.status!, ...status } })
      })
    await createStack(controller, name, to.identity.name)
    for (const value of ['one', 'two', 'three']) {
      const revision = await putSecrets(controller, name, { A: value })
      await isWanted(`r${revision} A=${value}`)
      if (revision === 1) await judge({ healthyRevision: 1 })
    }
    return { isWanted, judge }
  }
  const held = (by: TestAgent) => by.desired.holds().map(({ revision }) => revision)

  it('is kept by the agent, to go back to', async () => {
    await start(agent, 'knows')
    expect(agent.items.at(-1)).toMatchObject({ healthyRevision: 1, previousRevision: 2 })
    expect(held(agent)).toEqual([1, 2, 3])
  })

  it('is not told to an agent that drops its bundle, and comes again when it is to run', async () => {
    const { isWanted, judge } = await start(other, 'knows-not')
    expect(other.items.at(-1)).not.toHaveProperty('previousRevision')
    expect(held(other)).toEqual([1, 3])
    const failed = { service: 'web', digest: 'd', revision: 3, retry: '', message: '' }
    await judge({ wantedRevision: 2, quarantine: [failed] })
    await isWanted('r2 A=two')
  })
})
