import { describe, expect, it } from 'vitest'
import { renderColumns, renderTable, type ServerTable } from './table.ts'

const table: ServerTable = {
  columnDefinitions: [
    { name: 'Name', priority: 0 },
    { name: 'In-Sync', priority: 0 },
    { name: 'Directory', priority: 1 },
    { name: 'Age' },
  ],
  rows: [
    { cells: ['shop', 'True', '/srv/shop', '5m'], object: named('team-a', 'shop') },
    { cells: ['web-frontend', null, '/srv/web', '12d'], object: named('default', 'web-frontend') },
  ],
}

function named(
  namespace: string,
  name: string,
): NonNullable<ServerTable['rows'][number]['object']> {
  return { apiVersion: 'v1', kind: 'PartialObjectMetadata', metadata: { namespace, name } }
}

describe('renderTable', () => {
  it('aligns columns as kubectl does, and hides those of priority', () => {
    expect(renderTable(table)).toBe(
      [
        'NAME           IN-SYNC   AGE',
        'shop           True      5m',
        'web-frontend             12d',
      ].join('\n'),
    )
  })

  it('shows every column with wide', () => {
    expect(renderTable(table, { wide: true }).split('\n')[1]).toBe(
      'shop           True      /srv/shop   5m',
    )
  })

  it('puts the namespace first, and the kind before the name, where asked', () => {
    const text = renderTable(table, { showNamespace: true, namePrefix: 'stagelet.stagely.dev/' })
    expect(text.split('\n')[1]).toBe('team-a      stagelet.stagely.dev/shop           True      5m')
  })
})

describe('renderColumns', () => {
  it('shows as text what would break or turn a row', () => {
    const rows = [
      ['a\nroot', '\u001b[2K\u202ex'],
      ['b', 'y'],
    ]
    expect(renderColumns(['A', 'B'], rows)).toBe(
      ['A         B', 'a\\nroot   \\x1b[2K\\u202ex', 'b         y'].join('\n'),
    )
  })

  it('leaves no space at the end of a line', () => {
    expect(renderColumns(['A', 'B'], [['1', '']])).toBe('A   B\n1')
  })
})

describe('a table at a terminal', () => {
  const header = ['NAME', 'STATE', 'MESSAGE']
  const message = 'waits for agent box, which nobody has heard of since noon'
  const lines = (most: number | undefined, rows: string[][]): string[] =>
    renderColumns(header, rows, most).split('\n')

  it('wraps a long last column, and loses no word of it', () => {
    const rows = [['shop', 'Waits', message]]
    const shown = lines(48, rows)
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(48)
    expect(
      shown
        .slice(1)
        .map((line) => line.slice(15))
        .join(' '),
    ).toBe(message)
  })

  it('cuts another long column, and never a name', () => {
    const shown = lines(46, [['a-name-of-some-length', message, '3m']])
    expect(shown[1]).toContain('a-name-of-some-length')
    expect(shown[1]).toMatch(/…   3m$/)
    expect(Math.max(...shown.map((line) => line.length))).toBe(46)
  })

  it('is whole where it goes to a file, or fits, or could not be read', () => {
    const rows = [['shop', 'Waits', message]]
    const whole = lines(undefined, rows)
    for (const most of [whole[1]!.length, 20]) expect(lines(most, rows)).toEqual(whole)
  })
})
