import { expect, it } from 'vitest'
import { background } from './background.ts'

const faultOf = (work: () => Promise<unknown>): Promise<unknown> =>
  new Promise((resolve) => background(work, resolve))

it('hands over what the work throws, later or at once', async () => {
  const fault = new Error('the database has gone')
  expect(await faultOf(() => Promise.reject(fault))).toBe(fault)
  expect(
    await faultOf(() => {
      throw fault
    }),
  ).toBe(fault)
})
