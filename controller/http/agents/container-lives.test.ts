import { expect, it } from 'vitest'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import { containerActivity } from './container-lives.ts'

const place = { subject: 'uid', namespace: 'default', project: 'shop', stagelet: 'prod' }
const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`
const spec = (
  there: readonly (readonly [id: string, digest: string])[],
  removed: ObservationSpec['removed'] = [],
): ObservationSpec =>
  ({
    services: [
      {
        name: 'web',
        digests: there.map(([, digest]) => digest),
        oldest: there.map(([id]) => ({ id, made: at(1) })),
      },
    ],
    removed,
  }) as never
const activity = (
  old: ObservationSpec | undefined,
  now: ObservationSpec,
  { skewMs = 0, most = 200 } = {},
): (readonly [string, unknown])[] =>
  containerActivity(
    place,
    { old, spec: now },
    {
      agent: { status: { clockSkewMs: skewMs } } as never,
      clock: { now: () => 5_000 },
      take: (wanted) => Math.min(wanted, most),
    },
  ).map(({ mark, detail }) => [mark, detail] as const)
const gone = { id: 'a', service: 'web', digest: 'd1', at: at(4) }

it('tells of each container with secrets once when it came, and once when it went', () => {
  const first = spec([
    ['a', 'd1'],
    ['n', ''],
  ])
  const life = { service: 'web', digest: 'd1' }
  expect(activity(undefined, first)).toEqual([['container a', { ...life, made: at(1) }]])
  expect(activity(first, first)).toEqual([])
  const second = spec([['b', 'd2']], [{ ...gone, made: at(1) }])
  expect(activity(first, second)).toEqual([
    ['container b', { service: 'web', digest: 'd2', made: at(1) }],
    ['container a', { ...life, made: at(1), removed: at(4) }],
  ])
  expect(activity(second, second)).toEqual([])
})

it('takes off what the clock of the machine is ahead, and tells no time that nobody saw', () => {
  expect(activity(undefined, spec([], [gone]), { skewMs: 2_000 })).toEqual([
    ['container a', { service: 'web', digest: 'd1', removed: at(2) }],
  ])
})

it('takes a report of an agent that tells of no containers', () => {
  const { services: _, ...rest } = spec([])
  const older = { ...rest, services: [{ name: 'web', digests: ['d1'] }] } as never
  expect(activity(spec([['a', 'd1']]), older)).toEqual([])
})

it('keeps the newest of more than may be kept, and says how many more there were', () => {
  const many = spec(Array.from({ length: 5 }, (_, i) => [`c${i}`, 'd1'] as const))
  const rows = activity(undefined, many, { most: 2 })
  expect(rows.map(([mark]) => mark)).toEqual(['container c3', 'container c4', 'container more'])
  expect(rows.at(-1)?.[1]).toEqual({ service: '', digest: '', uncounted: 3 })
  expect(activity(undefined, many, { most: 0 })).toHaveLength(1)
})
