import { describe, expect, it } from 'vitest'
import { objectMetaSchema } from '../../../../src/resources/schemas/openapi-meta.ts'
import { applyStrategicPatch } from './strategic-merge.ts'

const schema = { properties: { metadata: objectMetaSchema } }
const patched = (target: object, patch: object): unknown =>
  applyStrategicPatch(target, patch, schema)
const owner = (uid: string, more: object = {}): object => ({ uid, name: uid, ...more })

describe('a strategic merge patch', () => {
  it('merges maps, removes with null and replaces lists without a strategy', () => {
    const target = { metadata: { labels: { a: '1', b: '2' } }, spec: { finalizers: ['x', 'y'] } }
    const before = structuredClone(target)
    const patch = { metadata: { labels: { a: null, c: '3' } }, spec: { finalizers: ['z'] } }
    expect(patched(target, patch)).toEqual({
      metadata: { labels: { b: '2', c: '3' } },
      spec: { finalizers: ['z'] },
    })
    expect(target).toEqual(before)
  })

  it('adds to finalizers, takes some of them away, and puts them in order', () => {
    const target = { metadata: { finalizers: ['a', 'b', 'c'] } }
    expect(patched(target, { metadata: { finalizers: ['b', 'd'] } })).toEqual({
      metadata: { finalizers: ['a', 'b', 'c', 'd'] },
    })
    const change = {
      '$deleteFromPrimitiveList/finalizers': ['a'],
      '$setElementOrder/finalizers': ['d', 'c'],
      finalizers: ['d'],
    }
    expect(patched(target, { metadata: change })).toEqual({
      metadata: { finalizers: ['b', 'd', 'c'] },
    })
    const only = { '$deleteFromPrimitiveList/finalizers': ['b', 'c'] }
    expect(patched(target, { metadata: only })).toEqual({ metadata: { finalizers: ['a'] } })
  })

  it('merges owner references by their uid', () => {
    const target = { metadata: { ownerReferences: [owner('1'), owner('2')] } }
    const references = [owner('2', { name: 'new' }), owner('3'), { uid: '1', $patch: 'delete' }]
    expect(patched(target, { metadata: { ownerReferences: references } })).toEqual({
      metadata: { ownerReferences: [owner('2', { name: 'new' }), owner('3')] },
    })
    const whole = [{ $patch: 'replace' }, owner('4')]
    expect(patched(target, { metadata: { ownerReferences: whole } })).toEqual({
      metadata: { ownerReferences: [owner('4')] },
    })
  })

  it('replaces, empties or trims a map by directive', () => {
    const target = { metadata: { labels: { a: '1', b: '2' } } }
    for (const [labels, left] of [
      [{ $patch: 'replace', c: '3' }, { c: '3' }],
      [{ $patch: 'delete' }, {}],
      [{ $retainKeys: ['b'] }, { b: '2' }],
    ])
      expect(patched(target, { metadata: { labels } })).toEqual({ metadata: { labels: left } })
  })

  it.each([
    [{ metadata: { $patch: 'odd' } }],
    [{ metadata: { finalizers: 'x' } }],
    [{ metadata: { ownerReferences: ['x'] } }],
    [{ metadata: { ownerReferences: [{ name: 'no uid' }] } }],
    [{ metadata: { '$setElementOrder/finalizers': 'x', finalizers: [] } }],
  ])('is refused when it is %j', (patch) => {
    const refused = expect.objectContaining({ reason: 'BadRequest' }) as Error
    expect(() => patched({}, patch)).toThrow(refused)
  })
})
