import { expect, it } from 'vitest'
import { knownFailure } from '../live/known.ts'
import { later } from './later.ts'

/** A file that comes at the given try, and pauses that the test ends. */
const world = (comesAt: number) => {
  const addresses: string[] = []
  const pauses: { readonly ms: number; readonly end: () => void }[] = []
  const file = later(
    () => {
      addresses.push(globalThis.stagelyAgain)
      return addresses.length < comesAt ? Promise.reject(new Error('cut')) : Promise.resolve('page')
    },
    {
      explain: () => Promise.resolve(new Error('The controller cannot be reached.')),
      pause: (ms, woken) =>
        new Promise((resolve) => {
          pauses.push({ ms, end: resolve })
          woken.addEventListener('abort', () => resolve())
        }),
    },
  )
  return { file, addresses, pauses }
}

it('tries a file that did not come again under another address, until it is there', async () => {
  const { file, addresses, pauses } = world(4)
  file.want()
  for (const n of [1, 2, 3]) {
    await expect.poll(() => pauses.length).toBe(n)
    expect(file.file.value.state).toBe('failed')
    pauses[n - 1]?.end()
  }
  await expect.poll(() => file.file.value).toEqual({ state: 'known', value: 'page' })
  expect(new Set(addresses).size).toBe(4)
  expect(pauses.map(({ ms }) => ms)).toEqual([500, 1000, 2000])
})

it('says why it does not come, since when, and tries at once when it is told to', async () => {
  const { file, pauses } = world(3)
  file.want()
  await expect.poll(() => pauses.length).toBe(1)
  const first = knownFailure(file.file.value)
  expect(first?.error).toEqual(new Error('The controller cannot be reached.'))
  first?.retry()
  await expect.poll(() => pauses.length).toBe(2)
  expect(knownFailure(file.file.value)?.since).toBe(first?.since)
})

it('is not tried while nobody wants it, and goes on when somebody does again', async () => {
  const { file, addresses, pauses } = world(2)
  const leave = file.want()
  await expect.poll(() => pauses.length).toBe(1)
  leave()
  await Promise.resolve()
  expect(addresses).toHaveLength(1)
  await expect.poll(() => file.get()).toBe('page')
})

it('tells whoever waits for it why it does not come yet', async () => {
  const { file, pauses } = world(2)
  const errors: unknown[] = []
  const got = file.get((error) => errors.push(error))
  await expect.poll(() => pauses.length).toBe(1)
  pauses[0]?.end()
  expect(await got).toBe('page')
  expect(errors).toEqual([new Error('The controller cannot be reached.')])
})
