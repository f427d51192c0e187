// Why a service has a value, as the dashboard tells it, is what the controller decides by digests.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explainKey, type Reference } from '../../../dashboard/pages/stagelet/precedence.ts'
import { createDependencies } from '../../../src/secrets/references.ts'
import type { ProjectEntry, SetEntry } from '../../../src/secrets/set-entry.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'

const services = ['web', 'db']
const keys = ['A', 'B', 'C']

const places = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom(...keys),
    scope: fc.constantFrom('global', ...services),
    stagelet: fc.constantFrom('', 'prod', 'test'),
    to: fc.option(fc.constantFrom('A', 'B', 'db/A', 'global/B'), { nil: undefined }),
  }),
  { selector: ({ key, scope, stagelet }) => `${key} ${scope} ${stagelet}`, maxLength: 12 },
)

/** Keys refer to later keys only, so that no circle arises. */
const entriesOf = (drawn: typeof places extends fc.Arbitrary<infer T> ? T : never): SetEntry[] =>
  drawn.map(({ key, scope, stagelet, to }, index) => ({
    secretId: `s${index}`,
    name: `n${index}`,
    version: index + 1,
    key,
    scope,
    type: 'env',
    bytes: 1,
    valueDigest: `d${index}`,
    ...(stagelet === '' ? {} : { stagelet }),
    ...(to === undefined || (to.split('/').at(-1) ?? '') >= key ? {} : { references: [to] }),
  }))

const allOf = ({ entry, refersTo }: Reference): ProjectEntry[] => [
  entry,
  ...refersTo.flatMap(allOf),
]
const idsOf = (entries: readonly ProjectEntry[]): string[] =>
  [...new Set(entries.map(({ secretId }) => secretId))].sort()

describe('whyOf', () => {
  it('names the winner and the references that decide the digest, in 1,000 random sets', () => {
    fc.assert(
      fc.property(
        places,
        fc.constantFrom(...services),
        fc.constantFrom(...keys),
        (drawn, service, key) => {
          const entries = entriesOf(drawn)
          const why = explainKey(
            { entries },
            { service, stagelet: 'prod', key, composeKeys: ['A'] },
          )
          const shown = why.ranks.find((rank) => rank.won)?.entry
          const won = entries.find(({ secretId }) => secretId === shown?.secretId)
          if (why.broken !== undefined) {
            expect(() => visibleTo(service, 'prod', entries)).toThrow()
            return
          }
          const follow = createDependencies(entries, 'prod')
          expect(idsOf(why.chain === undefined ? [] : allOf(why.chain))).toEqual(
            idsOf(won === undefined ? [] : follow(won)),
          )
          try {
            const decided = visibleTo(service, 'prod', entries).find((one) => one.key === key)
            expect(won?.secretId).toBe(decided?.secretId)
          } catch {
            // Another key of the service has a reference without a target: the set as a whole has no digest.
          }
          expect(why.composeWins).toBe(key === 'A' && won === undefined)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
