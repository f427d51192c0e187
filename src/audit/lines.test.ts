import { describe, expect, it } from 'vitest'
import { readLine } from './lines.ts'

const row = {
  type: 'row',
  seq: 7,
  at: '2026-03-02T14:02:00.000001Z',
  actor: { name: 'ann', id: 'u-1', address: '203.0.113.9', source: 'api' },
  action: 'update',
  object: { kind: 'Member', namespace: 'red', name: 'bob' },
  result: 'success',
  request_id: 'req-1',
  detail: { role: 'owner' },
  actor_commitment: { digest: 'd', salt: 's' },
  subject_commitment: { digest: 'd' },
  hash: 'h',
  signature: 's',
}
const whole = [
  row,
  { type: 'start', seq: 0, hash: '' },
  { type: 'hidden', seq: 8, digest: 'd', hash: 'h', signature: 's' },
  { type: 'head', seq: 8, hash: 'h', signature: 's', public_key: 'k' },
]

const read = (line: unknown) => readLine(JSON.stringify(line))

describe('a line of an export', () => {
  it('is read as it is', () => {
    for (const line of whole) expect(read(line)).toEqual(line)
    const { request_id: _, detail: __, subject_commitment: ___, signature: ____, ...least } = row
    expect(read(least)).toEqual(least)
  })

  it('is refused where a key stands twice, or where it is written in another way', () => {
    const text = JSON.stringify(row)
    const other = [
      text.replace('"action":"update"', '"action":"read","action":"update"'),
      text.replace('"name":"ann"', '"name":"eve","name":"ann"'),
      text.replace('"update"', '"\\u0075pdate"'),
      ` ${text}`,
    ]
    for (const line of other) expect(readLine(line)).toMatch(/^malformed: not as the controller/)
  })

  it('is refused by the name of what is not as it must be', () => {
    expect(readLine('{"type"')).toBe('not JSON')
    for (const line of [null, 5, [], {}, { type: 'tail' }, { type: 'toString' }])
      expect(read(line)).toBe('malformed: type')
    expect(read({ ...row, seq: 0 })).toBe('malformed: seq')
    expect(read({ ...row, result: 'failed' })).toBe('malformed: result')
    expect(read({ ...row, detail: [] })).toBe('malformed: detail')
    expect(read({ ...row, object: { kind: 'Member', name: 'bob' } })).toBe(
      'malformed: object.namespace',
    )
    const stranger = { ...row, actor: { ...row.actor, really: 'mallory' } }
    expect(read(stranger)).toBe('malformed: actor.really')
  })

  it('has each of its fields looked at', () => {
    for (const line of whole)
      for (const field of Object.keys(line))
        expect(read({ ...line, [field]: null })).toBe(`malformed: ${field}`)
  })
})
