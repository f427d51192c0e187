import { signal } from '@preact/signals'
import { expect, it } from 'vitest'
import type { Problem } from '../../src/generated/rest-types.ts'
import { ApiProblem } from '../api/client.ts'
import { createCollection } from './collection.ts'
import { someOf } from './known.ts'
import { retryFailed } from './retry.ts'

const refused = (status: number): ApiProblem =>
  new ApiProblem({ status, detail: 'no' } as Problem, null)

/** A list whose first read ends with `fault`, on a page whose clock the test moves. */
const failedList = async (fault: Error) => {
  const world = { reads: 0, isLive: signal(true), second: signal(0) }
  const rows = createCollection<{ id: string }>(
    (onPage) => {
      world.reads += 1
      if (world.reads === 1) return Promise.reject(fault)
      onPage([{ id: 'a' }])
      return Promise.resolve()
    },
    (run) => run(),
  )
  const stop = retryFailed(() => [rows], world.isLive, world.second)
  await rows.refresh()
  expect(rows.list.value.state).toBe('failed')
  return { world, rows, stop }
}

it.each([
  ['was refused for a moment', refused(429)],
  ['met a fault of the controller', refused(503)],
  ['went on from a cursor that was too old', refused(410)],
  ['was cut off', new Error('cut')],
])('reads a list that %s again after five seconds, and once', async (_, fault) => {
  const { world, rows, stop } = await failedList(fault)
  world.second.value = 4_000
  expect(world.reads).toBe(1)
  world.second.value = 5_000
  await expect.poll(() => rows.list.value.state).toBe('known')
  expect(someOf(rows.list.value)).toEqual([{ id: 'a' }])
  world.second.value = 20_000
  expect(world.reads).toBe(2)
  stop()
})

it('asks again also while the stream does not stand, less often', async () => {
  const { world, rows, stop } = await failedList(refused(503))
  world.isLive.value = false
  world.second.value = 14_000
  expect(world.reads).toBe(1)
  world.second.value = 15_000
  await expect.poll(() => rows.list.value.state).toBe('known')
  stop()
})

it('does not ask again for what the caller may not see', async () => {
  const { world, stop } = await failedList(refused(403))
  world.second.value = 20_000
  expect(world.reads).toBe(1)
  stop()
})

it('reads all that failed when the network is back, and nothing after its end', async () => {
  const { world, rows, stop } = await failedList(refused(403))
  world.isLive.value = false
  world.second.value = 20_000
  expect(world.reads).toBe(1)
  world.isLive.value = true
  await expect.poll(() => rows.list.value.state).toBe('known')
  stop()
  const after = await failedList(refused(429))
  after.stop()
  after.world.second.value = 20_000
  expect(after.world.reads).toBe(1)
})
