import { expect, it } from 'vitest'
import { skewOf, withNewest } from './clock-skew.ts'

/** A clock that is `skew` off, by requests that were late so many ms. */
const measured = (skew: number, lateMs: readonly number[]): number =>
  skewOf(lateMs.reduce((ahead: readonly number[], late) => withNewest(ahead, skew - late), []))

it('is measured by the request that was least late', () => {
  expect(measured(3_000, [700, 12, 250])).toBe(2_988)
  expect(measured(-3_000, [700, 12, 250])).toBe(-3_012)
})

it('is 0 where the way of the requests may be all of it', () => {
  expect(measured(0, [400, 3, 90])).toBe(0)
  expect(measured(45, [5])).toBe(0)
  expect(measured(120, [400, 3])).toBe(117)
})

it('forgets a clock that was set right', () => {
  const wrong = Array<number>(20).fill(3_000)
  const right = Array<number>(8).fill(-5)
  expect(skewOf([...wrong, ...right].reduce<readonly number[]>(withNewest, []))).toBe(0)
})
