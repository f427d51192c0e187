import { describe, expect, it } from 'vitest'
import { keptParsed, objectRow, type StoredRow } from './rows.ts'

const rowOf = (name: string, kind = 'Event'): StoredRow => {
  const ref = { kind, namespace: 'x', name }
  const text = JSON.stringify({ apiVersion: 'v1', kind, metadata: { name } })
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

  it('of an agent is kept while many secrets and events are looked into', () => {
    const agent = rowOf('box', 'Agent')
    const { object } = agent
    const many = Array.from({ length: keptParsed + 1 }, (_, i) => rowOf(`other-${i}`))
    expect(many.every((row) => row.object.kind === 'Event')).toBe(true)
    expect(agent.object).toBe(object)
  })
})
