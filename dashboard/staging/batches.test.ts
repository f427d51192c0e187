import { expect, it } from 'vitest'
import { answerOfAll, editBatches, impactOfAll, saysSame } from './batches.ts'
import type { BatchAnswer, Edit, ChangeImpact, Operation } from './staging.ts'

const edits = (count: number): Edit[] =>
  Array.from({ length: count }, (_, id) => ({
    id,
    op: 'create',
    key: `K${id}`,
    scope: 'global',
    type: 'env',
  }))
const operation = (value: string): Operation => ({ op: 'create', key: 'K', value })

it('puts as many edits in a request as it takes, by count and by bytes', () => {
  const small = edits(1201)
  const batches = editBatches(
    small,
    small.map(() => operation('x')),
  )
  expect(batches.map((batch) => batch.edits.length)).toEqual([500, 500, 201])
  const large = edits(4)
  const big = operation('ä'.repeat(600_000))
  expect(
    editBatches(
      large,
      large.map(() => big),
    ).map((batch) => batch.edits.map(({ id }) => id)),
  ).toEqual([
    [0, 1],
    [2, 3],
  ])
})

const hit = (service: string, keys: string[]) => ({
  stagelet: 'prod',
  stagelet_id: 'stl_1',
  service,
  keys,
  reason: 'new value',
})
const impact = (part: Partial<ChangeImpact>): ChangeImpact => ({
  affected: [],
  cascaded: [],
  held: [],
  widened: [],
  untouched: 0,
  ...part,
})
const cascade = { stagelet: 'prod', stagelet_id: 'stl_1', service: 'db', with: ['web'] }

it('reaches with all requests what any of them reaches', () => {
  const wide = { key: 'A', scope: 'global', before: [{ scope: 'web' }], services: [] }
  const single = impact({
    affected: [hit('web', ['A'])],
    cascaded: [cascade],
    widened: [wide],
    untouched: 3,
  })
  const other = impact({ affected: [hit('web', ['B']), hit('db', ['C'])], untouched: 3 })
  expect(impactOfAll([single, other])).toEqual(
    impact({
      affected: [hit('web', ['A', 'B']), hit('db', ['C'])],
      widened: [wide],
      untouched: 3,
    }),
  )
})

it('counts operations through, and names the one revision', () => {
  const answer = (part: Partial<BatchAnswer>): BatchAnswer => ({
    results: [],
    set: 'before',
    impact: impact({}),
    warnings: [],
    ...part,
  })
  const results = [{}, {}] as unknown as BatchAnswer['results']
  const warning = { operation: 1, field: 'value', message: 'short' }
  const all = answerOfAll([
    answer({ results, warnings: [warning], revision: 7 }),
    answer({ results, warnings: [warning], set: 'later' }),
  ])
  expect(all).toMatchObject({ set: 'before', revision: 7 })
  expect(all.results).toHaveLength(4)
  expect(all.warnings.map((warning) => warning.operation)).toEqual([1, 3])
})

it('knows whether a later dry run still promises the same', () => {
  const update = { op: 'update', change: 'value', id: 'sec_1', updated_at: 'then' }
  const answer = (results: object[], part: Partial<BatchAnswer> = {}): BatchAnswer => ({
    results: results as BatchAnswer['results'],
    set: 'before',
    warnings: [],
    impact: impact({ affected: [hit('web', ['A'])], untouched: 3 }),
    ...part,
  })
  const before = answer([update])
  expect(saysSame(before, answer([{ ...update, updated_at: 'now' }], { set: 'later' }))).toBe(true)
  expect(saysSame(before, answer([{ ...update, change: 'unchanged' }]))).toBe(false)
  expect(saysSame(before, answer([update], { impact: impact({ untouched: 4 }) }))).toBe(false)
  const deletion = answer([{ op: 'delete', change: 'deleted', id: 'sec_1' }])
  expect(saysSame(deletion, deletion)).toBe(false)
})
