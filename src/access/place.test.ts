import { describe, expect, it } from 'vitest'
import {
  isWithin,
  join,
  meet,
  narrowingText,
  touches,
  type Narrowing,
  type Place,
} from './place.ts'

const shop = { project: 'shop', isWider: false }
const places = {
  preview: { ...shop, environments: ['preview'] },
  production: { ...shop, environments: ['production'] },
  both: { ...shop, environments: ['production', 'preview'] },
  whole: { ...shop, environments: ['production', 'preview'], isWider: true },
  isolated: { ...shop, environments: ['production'], isWider: true },
  nowhere: { ...shop, environments: [], isWider: true },
  web: { ...shop, environments: ['preview'], stagelet: 'web' },
  other: { project: 'bank', environments: ['preview'], isWider: false },
} satisfies Record<string, Place>

const named = (
  narrowing: Narrowing,
  test: (narrowing: Narrowing, place: Place) => boolean,
): string[] =>
  Object.entries(places)
    .filter(([, place]) => test(narrowing, place))
    .map(([name]) => name)

describe('a narrowing', () => {
  it.each<[Narrowing, string[], string[]]>([
    [{}, Object.keys(places), Object.keys(places)],
    [
      { projects: ['shop'] },
      ['preview', 'production', 'both', 'whole', 'isolated', 'nowhere', 'web'],
      ['preview', 'production', 'both', 'whole', 'isolated', 'nowhere', 'web'],
    ],
    [
      { projects: ['shop'], environments: ['preview'] },
      ['preview', 'both', 'whole', 'web'],
      ['preview', 'web'],
    ],
    [
      { projects: ['shop'], environments: ['preview', 'production'] },
      ['preview', 'production', 'both', 'whole', 'isolated', 'web'],
      ['preview', 'production', 'both', 'web'],
    ],
    [{ stagelets: ['web'] }, ['web'], ['web']],
    [{ projects: [] }, [], []],
    [{ environments: [] }, [], []],
  ])('%j shows what counts there, and writes what counts nowhere else', (given, read, written) => {
    expect(named(given, touches)).toEqual(read)
    expect(named(given, isWithin)).toEqual(written)
  })

  it('of a token of a narrowed member is what both leave', () => {
    const shopOnly = { projects: ['shop'] }
    expect(meet(undefined, shopOnly)).toEqual(shopOnly)
    expect(meet(shopOnly, { environments: ['preview'] })).toEqual({
      projects: ['shop'],
      environments: ['preview'],
    })
    expect(meet(shopOnly, { projects: ['bank'] })).toEqual({ projects: [] })
    expect(narrowingText({ projects: [] })).toBe('no project')
  })

  it('of two groups is never more than both give', () => {
    const lists = [undefined, ['a'], ['b'], ['a', 'b']]
    const all = lists.flatMap((projects) =>
      lists.map((environments) => ({ projects, environments })),
    )
    const each = ['a', 'b', 'c'].flatMap((project) =>
      ['a', 'b', 'c'].map((name) => ({ project, environments: [name], isWider: false })),
    )
    for (const a of all)
      for (const b of all)
        for (const place of each)
          if (isWithin(join(a, b) ?? {}, place))
            expect(isWithin(a, place) || isWithin(b, place)).toBe(true)
  })

  it('is told in words', () => {
    expect(narrowingText({ projects: ['shop'], environments: ['preview', 'staging'] })).toBe(
      'project shop; environment preview, staging',
    )
  })
})
