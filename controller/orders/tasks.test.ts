import { expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import type { OrderResult } from './order-result.ts'
import { createAgentTasks } from './tasks.ts'

const task = {
  rotation: 'r',
  attempt: '1',
  step: 'look',
  stageletUid: 's',
  service: 'db',
  plugin: 'postgres',
  params: {},
} as const
const { signal } = new AbortController()

it('waits for an agent that comes back after the start of its controller, and for no other one', async () => {
  const clock = createFakeClock()
  let asked: OrderResult = 'away'
  const ids: string[] = []
  const tasks = createAgentTasks({
    ask: (_, { id }) => {
      ids.push(id)
      return asked
    },
    clock,
    log: silentLogger,
  })
  const early = tasks.run('default/box', task, signal)
  await clock.advance(2_000)
  asked = 'asked'
  await clock.advance(1_000)
  tasks.acceptHere('default/box', { id: ids.at(-1)!, facts: { accepted: 'refused' } })
  expect(await early).toEqual({ accepted: 'refused' })

  asked = 'away'
  await clock.advance(30_000)
  await expect(tasks.run('default/gone', task, signal)).rejects.toMatchObject({
    kind: 'Unreachable',
    message: 'agent default/gone has no connection to a controller: look at its machine',
  })
})

it('lets the look of a rotation wait for an agent that comes back, too', async () => {
  const clock = createFakeClock()
  let asked: OrderResult = 'away'
  const ids: string[] = []
  const tasks = createAgentTasks({
    ask: (_, { id }) => {
      ids.push(id)
      return asked
    },
    clock,
    log: silentLogger,
  })
  const wanted = { values: [], key: '', prints: [] }
  const look = tasks.look('default/box', { ...wanted, containersOnly: true }, signal)
  // A person who asks where a value lies sees who is away.
  expect(await tasks.look('default/box', { ...wanted, containersOnly: false }, signal)).toBe('away')
  await clock.advance(2_000)
  asked = 'asked'
  await clock.advance(1_000)
  const found = { places: [], unread: [] }
  tasks.acceptHere('default/box', { id: ids.at(-1)!, found })
  expect(await look).toEqual(found)
})
