import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../test/support/soak.ts'
import { renderManagers } from './managers.ts'
import { entriesOfNew } from './new-fields.ts'
import type { Shape } from './shape.ts'
import { managersAfterUpdate } from './update.ts'

const leaf: Shape = { form: 'leaf' }
const struct = (fields: Record<string, Shape>): Shape => ({
  form: 'struct',
  fields: new Map(Object.entries(fields)),
})
const parts = {
  text: leaf,
  labels: { form: 'map', value: leaf },
  tags: { form: 'set' },
  items: { form: 'items', keys: ['type'], item: struct({ type: leaf, text: leaf }) },
} satisfies Record<string, Shape>
const shape = struct({ metadata: struct({ ...parts, metadata: leaf }), spec: struct(parts) })

const text = fc.constantFrom('', 'a', 'b')
const some = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> =>
  fc.oneof({ weight: 4, arbitrary: values }, { weight: 1, arbitrary: fc.constant(null) })
const item = fc.record({ type: text, text: some(text) }, { requiredKeys: [] })
const part = fc.record(
  {
    text: some(text),
    labels: some(fc.dictionary(text, text)),
    tags: some(fc.uniqueArray(text)),
    items: some(fc.oneof(fc.uniqueArray(item, { selector: ({ type }) => type }), text)),
    strange: text,
    metadata: text,
  },
  { requiredKeys: [] },
)
const value = fc.record({ metadata: part, spec: some(part) }, { requiredKeys: ['metadata'] })

describe('what the writer of a new object owns', () => {
  it('is what comparing it with nothing finds', () => {
    const who = { manager: 'ann', apiVersion: 'v1', subresource: '' }
    const now = '2026-11-28T01:00:00Z'
    fc.assert(
      fc.property(value, (after) => {
        const before = { metadata: {} }
        const update = { shape, managers: [], who, before, after, now }
        const computed = renderManagers(managersAfterUpdate(update))
        // The same text: the order of fields counts.
        expect(JSON.stringify(entriesOfNew(shape, after, { who, now }))).toBe(
          JSON.stringify(computed),
        )
      }),
      runs(150, 30_000),
    )
  })
})
