import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { duplicateKeys } from './duplicate-keys.ts'
import { runs } from '../../../test/support/soak.ts'

/** JSON as it can be written: an object is its fields in order, of which some may be there twice. */
type Tree = string | number | boolean | null | { list: Tree[] } | { fields: [string, Tree][] }

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'a', 'é') }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('tree'), { maxLength: 3 }).map((list) => ({ list })),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', '', '"', '\\', '__proto__', 'é'), tie('tree')), {
        maxLength: 5,
      })
      .map((fields) => ({ fields })),
  ),
}))

/** Every other way to write the same text. */
const escaped = (text: string): string =>
  `"${text.replace(/[\s\S]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`

const written = (node: Tree, space: string, odd = false): string => {
  const text = (value: unknown): string =>
    odd && typeof value === 'string' ? escaped(value) : JSON.stringify(value)
  if (typeof node !== 'object' || node === null) return text(node)
  const inner =
    'list' in node
      ? node.list.map((item) => written(item, space, odd))
      : node.fields.map(([key, v], n) => {
          const name = n % 2 === 1 ? escaped(key) : JSON.stringify(key)
          return `${name}${space}:${space}${written(v, space, !odd)}`
        })
  const [open, close] = 'list' in node ? ['[', ']'] : ['{', '}']
  return `${open}${space}${inner.join(`${space},${space}`)}${space}${close}`
}

const twice = (node: Tree, path: string): string[] => {
  if (typeof node !== 'object' || node === null) return []
  if ('list' in node) return node.list.flatMap((item, n) => twice(item, `${path}[${n}]`))
  return node.fields.flatMap(([key, value], n) => {
    const at = `${path}.${key}`
    const again = node.fields.slice(0, n).some(([other]) => other === key)
    return [...(again ? [at] : []), ...twice(value, at)]
  })
}

describe('keys that a JSON text has twice', () => {
  it('are named by their path, once each, in the order of the text', () => {
    const text = '{"spec":{"a":1,"b":[{"c":1,"c":2},{"c":1}],"a":2,"a":3},"x":{"a":"\\"a\\":"}}'
    expect(duplicateKeys(text)).toEqual(['spec.b[0].c', 'spec.a'])
    expect(duplicateKeys('[{"op":"a","op":"b"}]')).toEqual(['[0].op'])
  })

  it('are found however the text is written, and nothing else is', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom('', ' ', '\n\t'), (node, space) => {
        const text = written(node, space)
        JSON.parse(text)
        const expected = [...new Set(twice(node, ''))].map((path) => path.replace(/^\./, ''))
        expect(duplicateKeys(text)).toEqual(expected)
      }),
      runs(250, 20_000),
    )
  })

  it('are named up to a hundred, and none at any length', () => {
    const many = Array.from({ length: 300 }, (_, n) => `"k${n}":0`).join()
    expect(duplicateKeys(`{${many},${many}}`)).toHaveLength(100)
    const long = 'x'.repeat(1_000_000)
    const found = duplicateKeys(`{"${long}":{"a":1,"a":2},"${long}":0}`)
    expect(found).toHaveLength(1)
    expect(found[0]!.length).toBeLessThanOrEqual(256)
  })
})
