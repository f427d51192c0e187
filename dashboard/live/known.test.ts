import { expect, it } from 'vitest'
import { findIn, known, loading, mapKnown, partOf, someOf, together, type Known } from './known.ts'

const failure = (since: number, retry = (): void => undefined) => ({
  error: new Error('gone'),
  since,
  retry,
})
const failed = (since = 1): Known<never> => ({ state: 'failed', failure: failure(since) })

it('says that one is not there only when the whole list is known', () => {
  const isB = (text: string): boolean => text === 'b'
  expect(findIn(known(['a']), isB)).toEqual(known(undefined))
  expect(findIn<string>(loading, isB)).toEqual(loading)
  expect(findIn<string>(failed(), isB).state).toBe('failed')
  expect(findIn({ state: 'loading', part: ['a'] }, isB).state).toBe('loading')
  expect(findIn({ state: 'loading', part: ['a', 'b'] }, isB)).toEqual(known('b'))
  expect(findIn({ state: 'failed', failure: failure(3), part: ['b'] }, isB)).toMatchObject({
    state: 'known',
    value: 'b',
    failure: { since: 3 },
  })
})

it('changes what is known, and keeps what is said of it', () => {
  const count = (list: readonly string[]): number => list.length
  expect(mapKnown(known(['a']), count)).toEqual(known(1))
  expect(mapKnown<readonly string[], number>(loading, count)).toEqual(loading)
  expect(partOf(mapKnown({ state: 'loading', part: ['a', 'b'] }, count))).toBe(2)
  expect(mapKnown({ state: 'known', value: ['a'], failure: failure(2) }, count)).toMatchObject({
    value: 1,
    failure: { since: 2 },
  })
  expect(someOf<string>(failed())).toEqual([])
})

it('knows several together only when it knows each', () => {
  expect(together(known(1), known('a'))).toEqual(known([1, 'a']))
  expect(together(known(1), loading)).toEqual(loading)
  expect(together(known(1), loading, failed(5), failed(4))).toMatchObject({
    state: 'failed',
    failure: { since: 4 },
  })
  const stale: Known<number> = { state: 'known', value: 1, failure: failure(7) }
  expect(together(stale, known(2))).toMatchObject({ value: [1, 2], failure: { since: 7 } })
})

it('asks again for each that failed', () => {
  const asked: string[] = []
  const failing = (name: string): Known<never> => ({
    state: 'failed',
    failure: failure(1, () => void asked.push(name)),
  })
  const all = together(failing('a'), known(1), failing('b'))
  if (all.state === 'failed') all.failure.retry()
  expect(asked).toEqual(['a', 'b'])
})
