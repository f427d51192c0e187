import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { createListing } from './listing.ts'
import { asSecret } from './data.ts'

const place = { team: 'default', project: 'shop' }

const secret = (id: string, key: string, more: Partial<Secret> = {}): Secret => ({
  ...asSecret({ id: 0, op: 'create', key, scope: 'global', type: 'env' }, place),
  id,
  name: id,
  version: 1,
  ...more,
})

const some = fc.uniqueArray(
  fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), key: fc.constantFrom('K', 'L', 'M') }),
  { selector: ({ id }) => id },
)

it('is in the order of places, and holds what the list holds, after any changes', () => {
  fc.assert(
    fc.property(fc.array(some, { maxLength: 6 }), (lists) => {
      const listing = createListing()
      for (const list of lists) {
        const stored = list.map(({ id, key }) => secret(id, key))
        const { secrets, head } = listing(stored)
        expect(secrets.map(({ key }) => key)).toEqual(stored.map(({ key }) => key).sort())
        expect(new Set(secrets)).toEqual(new Set(stored))
        for (const key of ['K', 'L', 'M'])
          expect(
            head
              .of(key)
              .map(({ secretId }) => secretId)
              .sort(),
          ).toEqual(stored.flatMap((secret) => (secret.key === key ? secret.id : [])).sort())
      }
    }),
    { numRuns: 30 },
  )
})

it('keeps the set while only what no set holds has changed', () => {
  const listing = createListing()
  const [a, b] = [secret('a', 'A'), secret('b', 'B')]
  const { head, stamp } = listing([a, b])
  const judged = listing([{ ...a, state: 'in_sync', service_count: 3 }, b])
  expect(judged.head).toBe(head)
  expect(judged.stamp).toBe(stamp)
  expect(judged.secrets[0]?.state).toBe('in_sync')
  const stored = listing([{ ...a, version: 2 }, b])
  expect(stored.head).not.toBe(head)
  expect(stored.head.of('A')[0]?.version).toBe(2)
  expect(stored.stamp).not.toBe(stamp)
})

it('has a secret without a value in the list, and not in the set', () => {
  const { secrets, head } = createListing()([secret('a', 'A', { version: 0 })])
  expect(secrets).toHaveLength(1)
  expect(head.of('A')).toEqual([])
})
