import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { objectOf } from '../../test/support/databases/store-fixtures.ts'
import { mostPlaces, type FoundPlace } from '../../src/protocol/look.ts'
import { lookEverywhere, type AgentLook, type WhereDeps } from './where.ts'

/** What counts of an answer of an agent that has got the first version, and could guess the second. */
const lookOf = async (places: readonly FoundPlace[]): Promise<AgentLook> => {
  const deps = {
    store: { list: () => Promise.resolve({ items: [objectOf('Agent', 'default', 'box', {})] }) },
    tasks: { look: () => Promise.resolve({ places, unread: [] }) },
  } as unknown as WhereDeps
  const valueOf = (name: string, generated: boolean) => ({
    name,
    generated,
    value: Buffer.from(randomBytes(16).toString('hex')),
    holders: new Set(name === '1' ? ['box'] : []),
  })
  const values = [valueOf('1', true), valueOf('2', false), valueOf('3', true)]
  const wanted = { values, containersOnly: true }
  const [look] = await lookEverywhere(deps, 'default', wanted, new AbortController().signal)
  return look!
}

it('an agent finds only what it was asked for, and each value of a place once', async () => {
  const container = 'web-1'
  const { places } = await lookOf([
    { kind: 'environment', container, values: ['1', '1', '2', '9', '3'] },
    { kind: 'label', container, values: ['2'] },
  ])
  expect(places).toEqual([{ kind: 'environment', container, values: ['1', '3'] }])
})

it('an answer within all bounds shows no more rows than places', async () => {
  const place = { kind: 'file' as const, at: 'a file', values: ['1', '3'] }
  const { places, unread } = await lookOf(Array<FoundPlace>(mostPlaces).fill(place))
  expect(places.flatMap(({ values }) => values)).toHaveLength(mostPlaces)
  expect(unread).toContain(`${mostPlaces} more places were found`)
})
