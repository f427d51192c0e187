import { describe, expect, it } from 'vitest'
import { columnValue } from '../../../src/resources/columns.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import { kinds, requireKind } from '../../../src/kinds/index.ts'
import { columnDefinitions, humanDuration, rowAt, rowTextOf } from './table.ts'

const seconds = (s: number): string => humanDuration(s * 1000)

describe('humanDuration', () => {
  it.each([
    [-5, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [123, '2m3s'],
    [599, '9m59s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [28_799, '7h59m'],
    [28_800, '8h'],
    [172_800, '2d'],
    [176_400, '2d1h'],
    [691_200, '8d'],
    [63_072_000, '2y'],
    [64_000_000, '2y10d'],
    [252_288_000, '8y'],
  ])('%d s is %s', (input, expected) => {
    expect(seconds(input)).toBe(expected)
  })
})

const rowOf = (kind: Kind, object: Record<string, unknown>, now: number) =>
  JSON.parse(rowAt(rowTextOf(kind, object, '{"a":1}'), now)) as {
    cells: unknown[]
    object: unknown
  }

describe('tables', () => {
  const now = Date.parse('2030-01-01T00:01:40Z')
  const stagelet = {
    metadata: { name: 'web', creationTimestamp: '2030-01-01T00:00:00Z' },
    spec: { agentRef: { name: 'box' }, compose: { directory: '/srv' } },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'SecretsInSync', status: 'False', reason: 'NewRevision' },
      ],
    },
  }

  it('fills the columns of the registry, name first, null where nothing is', () => {
    const kind = requireKind('Stagelet')
    const names = columnDefinitions(kind).map((c) => c.name)
    const { cells, object } = rowOf(kind, stagelet, now)
    expect(object).toEqual({ a: 1 })
    expect(Object.fromEntries(names.map((name, i) => [name, cells[i]]))).toEqual({
      Name: 'web',
      'In-Sync': 'False',
      Wanted: null,
      Running: null,
      Agent: 'box',
      Reason: 'NewRevision',
      Ready: 'True',
      Project: null,
      Ends: null,
      Environment: null,
      Rollout: null,
      Directory: '/srv',
      Age: '100s',
    })
    expect(columnDefinitions(kind)[0]).toMatchObject({ format: 'name', priority: 0 })
  })

  it('keep the text of a row, and only its durations change', () => {
    const kind = requireKind('Stagelet')
    const row = rowTextOf(kind, stagelet, 'null')
    expect(rowAt(row, now)).toContain('"100s"')
    expect(rowAt(row, now + 20_000)).toBe(rowAt(row, now).replace('"100s"', '"2m"'))
  })

  it('understands every column path of every kind', () => {
    for (const kind of kinds)
      for (const { jsonPath } of kind.columns) expect(columnValue({}, jsonPath)).toBeNull()
  })

  it('shows an event as what it is about', () => {
    const event = {
      metadata: { name: 'e.1' },
      lastTimestamp: '2030-01-01T00:01:00Z',
      type: 'Normal',
      reason: 'R',
      message: 'm',
      involvedObject: { kind: 'Stagelet', name: 'web' },
    }
    expect(rowOf(requireKind('Event'), event, now).cells).toEqual([
      '40s',
      'Normal',
      'R',
      'stagelet/web',
      'm',
      'e.1',
    ])
  })
})
