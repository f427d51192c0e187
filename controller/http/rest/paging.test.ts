import { describe, expect, it } from 'vitest'
import { pagedBy } from './paging.ts'

interface Event {
  readonly at: string
  readonly id: string
}

const newestFirst = {
  of: 'events',
  placeOf: ({ at, id }: Event) => [at, id],
  descending: true,
} as const

describe('a page of a list that is at hand', () => {
  const events = ['1a', '2a', '2b', '3a'].map(([at = '', id = '']) => ({ at, id }))
  const names = (items: readonly Event[]): string => items.map((e) => e.at + e.id).join(' ')

  it('goes on after the last item of the page before, also when that item is gone', () => {
    const first = pagedBy(events, newestFirst, { limit: 2 })
    expect(names(first.items)).toBe('3a 2b')
    const left = events.filter(({ at, id }) => at + id !== '2b')
    const second = pagedBy(left, newestFirst, { limit: 2, cursor: first.next.next_cursor })
    expect(names(second.items)).toBe('2a 1a')
    expect(second.next).toEqual({})
  })

  it('orders numbers as numbers', () => {
    const order = { of: 'versions', placeOf: (n: number) => [n], descending: true } as const
    expect(pagedBy([9, 10, 2], order, { limit: 5 }).items).toEqual([10, 9, 2])
  })

  it('refuses the cursor of another list, and one that nobody gave', () => {
    const { next_cursor: cursor } = pagedBy(events, newestFirst, { limit: 1 }).next
    const forged = Buffer.from('{"of":"events","after":[{}]}').toString('base64url')
    for (const given of ['', 'x', forged])
      expect(() => pagedBy([], newestFirst, { limit: 1, cursor: given })).toThrow(/unchanged/)
    const other = { ...newestFirst, of: 'users' }
    expect(() => pagedBy(events, other, { limit: 1, cursor })).toThrow(/unchanged/)
  })
})
