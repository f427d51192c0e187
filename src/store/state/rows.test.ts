import { describe, expect, it } from 'vitest'
import { keptParsed, objectRow, type StoredRow } from './rows.ts'

const rowOf = (name: string): StoredRow => {
  const ref = { kind: 'Event', namespace: 'x', name }
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'Event', metadata: { name } })
  return objectRow(ref, { uid: name, rv: 1, source: 'api', text })
}

describe('a stored row', () => {
  it('keeps what was parsed of its text while fewer than so many others are looked into', () => {
    const row = rowOf('one')
    const { object } = row
    const others = Array.from({ length: keptParsed }, (_, i) => rowOf(`other-${i}`))
    const last = others.pop()
    expect(others.filter((other) => other.object.kind === 'Event')).toHaveLength(keptParsed - 1)
    expect(row.object).toBe(object)
    expect(last?.object.kind).toBe('Event')
    expect(row.object).not.toBe(object)
    expect(row.object).toEqual(object)
  })
})
