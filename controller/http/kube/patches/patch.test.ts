import { describe, expect, it } from 'vitest'
import { jsonPatch, type JsonDocument } from './patch.ts'

const target: JsonDocument = { a: { b: [1, 2, 3] }, 'x/y': 1 }

describe('jsonPatch', () => {
  it('applies operations in order and leaves its input alone', () => {
    const before = structuredClone(target)
    const result = jsonPatch(target, [
      { op: 'add', path: '/a/b/-', value: 4 },
      { op: 'add', path: '/a/b/0', value: 0 },
      { op: 'remove', path: '/a/b/1' },
      { op: 'replace', path: '/x~1y', value: 2 },
      { op: 'copy', from: '/a/b', path: '/c' },
      { op: 'move', from: '/x~1y', path: '/z' },
      { op: 'test', path: '/c', value: [0, 2, 3, 4] },
    ])
    expect(result).toEqual({ a: { b: [0, 2, 3, 4] }, c: [0, 2, 3, 4], z: 2 })
    expect(target).toEqual(before)
  })

  it('takes what is absent for null in a test, as Kubernetes does', () => {
    const absent = [{ op: 'test', path: '/a/none', value: null }]
    expect(jsonPatch(target, absent)).toEqual(target)
    expect(() => jsonPatch(target, [{ op: 'test', path: '/none/x', value: null }])).toThrow()
    expect(() => jsonPatch(target, [{ op: 'test', path: '/a', value: null }])).toThrow()
  })

  it.each<[string, JsonDocument]>([
    ['a failing test', [{ op: 'test', path: '/a', value: 1 }]],
    ['a path that is not there', [{ op: 'remove', path: '/nope' }]],
    ['an index beyond the end', [{ op: 'replace', path: '/a/b/9', value: 1 }]],
    ['an inherited name', [{ op: 'replace', path: '/__proto__/x', value: 1 }]],
  ])('refuses %s', (_, patch) => {
    expect(() => jsonPatch(target, patch)).toThrow(expect.objectContaining({ reason: 'Invalid' }))
  })

  it('refuses what is no JSON patch', () => {
    for (const patch of [
      {},
      [{ op: 'add', path: '/a' }],
      [{ op: 'fly', path: '/a' }],
      [1],
    ] as JsonDocument[])
      expect(() => jsonPatch(target, patch)).toThrow(
        expect.objectContaining({ reason: 'BadRequest' }),
      )
  })

  it('does not grow by copies of copies', () => {
    const patch = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '', path: `/x${i}` }))
    expect(() => jsonPatch(target, patch)).toThrow(
      expect.objectContaining({ reason: 'RequestEntityTooLarge' }),
    )
    const long = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/z', value: 1 }))
    expect(() => jsonPatch(target, long)).toThrow(
      expect.objectContaining({ reason: 'RequestEntityTooLarge' }),
    )
  })

  it('cannot reach a prototype', () => {
    jsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})
