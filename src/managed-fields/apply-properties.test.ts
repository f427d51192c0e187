import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyConfiguration, type Applied } from './apply.ts'
import { compare, fieldSetOf } from './compare.ts'
import { difference, fromFieldsV1, intersection, pathsOf, toFieldsV1, union } from './field-set.ts'
import { parseManagers, renderManagers } from './managers.ts'
import type { Shape } from './shape.ts'

const now = '2026-11-24T12:00:00Z'
const later = '2026-11-24T13:00:00Z'

const apply = (
  manager: string,
  config: unknown,
  { object, managers }: Applied,
  { force = false, at = now }: { force?: boolean; at?: string } = {},
): Applied =>
  applyConfiguration({
    shape,
    who: { manager, apiVersion: 'stagely.dev/v1alpha1', subresource: '' },
    managers,
    live: object,
    config,
    force,
    now: at,
  })

// Any value of a shape that has every form.
const shape: Shape = {
  form: 'struct',
  fields: new Map<string, Shape>([
    ['text', { form: 'leaf' }],
    ['labels', { form: 'map', value: { form: 'leaf' } }],
    ['tags', { form: 'set' }],
    [
      'items',
      {
        form: 'items',
        keys: ['type'],
        item: {
          form: 'struct',
          fields: new Map<string, Shape>([
            ['type', { form: 'leaf' }],
            ['note', { form: 'leaf' }],
          ]),
        },
      },
    ],
    [
      'inner',
      {
        form: 'struct',
        fields: new Map<string, Shape>([
          ['a', { form: 'leaf' }],
          ['list', { form: 'leaf' }],
        ]),
      },
    ],
  ]),
}
const word = fc.constantFrom('a', 'b', 'c')
const value = fc.record(
  {
    text: word,
    labels: fc.dictionary(word, word, { minKeys: 1 }),
    // An empty list of either kind is the same as none.
    tags: fc.uniqueArray(word, { minLength: 1 }),
    items: fc.uniqueArray(fc.record({ type: word, note: word }), {
      minLength: 1,
      selector: (i) => i.type,
    }),
    inner: fc.record({ a: word, list: fc.array(word) }, { requiredKeys: ['a'] }),
  },
  { requiredKeys: [] },
)
const stepOf = (manager: string, config: unknown) => (state: Applied) =>
  apply(manager, config, state, { force: true })

describe('for any configurations', () => {
  it('what is applied is there, and applying it again changes nothing', () => {
    fc.assert(
      fc.property(value, value, (live, config) => {
        const once = apply('a', config, { object: live, managers: [] })
        const { modified, removed } = compare(shape, config, once.object)
        for (const set of [modified, removed]) expect(pathsOf(set)).toEqual([])
        const twice = apply('a', config, once, { at: later })
        expect(twice.object).toEqual(once.object)
        expect(renderManagers(twice.managers)).toEqual(renderManagers(once.managers))
      }),
    )
  })

  it('an object made by one applier alone is its last configuration', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (configs) => {
        const last = configs
          .map((config) => stepOf('a', config))
          .reduce<Applied>((state, step) => step(state), { object: {}, managers: [] })
        const { added, modified, removed } = compare(shape, configs.at(-1), last.object)
        for (const set of [modified, removed]) expect(pathsOf(set)).toEqual([])
        // A map that a removal empties goes; one that was applied empty stays.
        expect(pathsOf(added)).toEqual([])
      }),
    )
  })

  it('no field of one applier is lost to another that does not touch it', () => {
    fc.assert(
      fc.property(value, value, value, (mine, theirs, next) => {
        const first = stepOf('a', mine)({ object: {}, managers: [] })
        const both = stepOf('b', theirs)(first)
        const after = stepOf('b', next)(both)
        const kept = difference(
          intersection(fieldSetOf(shape, mine), fieldSetOf(shape, both.object)),
          union(fieldSetOf(shape, theirs), fieldSetOf(shape, next)),
        )
        expect(pathsOf(difference(kept, fieldSetOf(shape, after.object)))).toEqual([])
      }),
    )
  })

  it('sets survive their wire form', () => {
    fc.assert(
      fc.property(value, (given) => {
        const set = fieldSetOf(shape, given)
        const back = fromFieldsV1(JSON.parse(JSON.stringify(toFieldsV1(set))))
        expect(back === undefined ? undefined : pathsOf(back)).toEqual(pathsOf(set))
      }),
    )
  })

  it('what is no set of fields is refused', () => {
    const below = { 'f:a': { '.': { x: 1 }, 'f:b': {} } }
    for (const bad of [null, 3, { x: {} }, { 'f:a': 1 }, { 'k:nope': {} }, { 'v:{': {} }, below])
      expect(fromFieldsV1(bad)).toBeUndefined()
    expect(parseManagers([{ manager: 'a', operation: 'Other' }])).toBeUndefined()
    expect(parseManagers('text')).toBeUndefined()
  })
})
