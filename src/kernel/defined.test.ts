import { expect, expectTypeOf, it } from 'vitest'
import { defined } from './defined.ts'

it('leaves out what is undefined, and nothing else', () => {
  const absent = undefined as string | undefined
  const kept = defined({ a: 1, b: absent, c: null, d: '', e: 0, f: false })
  expect(kept).toStrictEqual({ a: 1, c: null, d: '', e: 0, f: false })
  expect(Object.keys({ first: 1, ...defined({ absent }), last: 2 })).toEqual(['first', 'last'])
})

it('types what may be undefined as optional', () => {
  const name = 'x' as string | undefined
  const made: { readonly kind: number; readonly name?: string } = defined({ kind: 1, name })
  expect(made).toEqual({ kind: 1, name: 'x' })
  expectTypeOf(defined({ kind: 1, name })).toEqualTypeOf<{ kind: number } & { name?: string }>()
})
