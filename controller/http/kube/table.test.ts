import { describe, expect, it } from 'vitest'
import { kinds, requireKind } from '../../../src/resources/registry.ts'
import { cellsOf, columnDefinitions, humanDuration, valueAt } from './table.ts'

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
    const cells = cellsOf(kind, stagelet, now)
    expect(Object.fromEntries(names.map((name, i) => [name, cells[i]]))).toEqual({
      Name: 'web',
      'In-Sync': 'False',
      Wanted: null,
      Running: null,
      Agent: 'box',
      Reason: 'NewRevision',
      Ready: 'True',
      Project: null,
      Rollout: null,
      Directory: '/srv',
      Age: '100s',
    })
    expect(columnDefinitions(kind)[0]).toMatchObject({ format: 'name', priority: 0 })
  })

  it('understands every column path of every kind', () => {
    for (const kind of kinds)
      for (const { jsonPath } of kind.columns) expect(valueAt({}, jsonPath)).toBeNull()
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
    expect(cellsOf(requireKind('Event'), event, now)).toEqual([
      '40s',
      'Normal',
      'R',
      'stagelet/web',
      'm',
      'e.1',
    ])
  })
})
