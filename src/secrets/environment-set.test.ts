import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { serviceDigest } from './digest.ts'
import { environmentSet } from './environment-set.ts'
import type { Layout } from './layout.ts'
import type { ProjectEntry } from './set-entry.ts'
import { visibleTo } from './visible.ts'

const environments = ['preview', 'production', 'staging']
const keys = ['A', 'B']

const drawnEntry = fc.record({
  key: fc.constantFrom(...keys),
  scope: fc.constantFrom('global', 'web', 'db'),
  at: fc.oneof(
    fc.constant({}),
    fc.constantFrom('pr-1', 'pr-2').map((stagelet) => ({ stagelet })),
    fc.subarray(environments, { minLength: 1 }).map((names) => ({ environments: names })),
  ),
})

/** Each one is alone at its place, as the store holds it. */
const drawnEntries = fc.array(drawnEntry, { maxLength: 24 }).map((drawn) => {
  const taken = new Set<string>()
  return drawn.flatMap(({ key, scope, at }, n): ProjectEntry[] => {
    const owners = 'environments' in at ? at.environments : 'stagelet' in at ? [at.stagelet] : ['']
    const places = owners.map((owner) => `${owner} ${scope} ${key}`)
    if (places.some((place) => taken.has(place))) return []
    for (const place of places) taken.add(place)
    return [
      {
        secretId: `id-${n}`,
        name: `name-${n}`,
        version: 1,
        key,
        scope,
        ...at,
        type: 'env',
        bytes: 1,
        valueDigest: `digest-${n}`,
      },
    ]
  })
})

const layouts = fc.record<Layout>({
  stagelets: fc
    .dictionary(fc.constantFrom('pr-1', 'pr-2'), fc.constantFrom(...environments))
    .map((drawn) => new Map(Object.entries(drawn))),
  isolated: fc.subarray(environments),
})

/** The table of ranks, as the documents have it. Undefined: the service does not see the entry. */
const rankOf = (
  { stagelet, environments: names, scope }: ProjectEntry,
  viewer: { stagelet: string; service: string },
  { stagelets, isolated }: Layout,
): number | undefined => {
  if (scope !== 'global' && scope !== viewer.service) return undefined
  const byScope = scope === 'global' ? 1 : 0
  const environment = stagelets.get(viewer.stagelet)
  if (stagelet !== undefined) return stagelet === viewer.stagelet ? 1 + byScope : undefined
  if (names !== undefined)
    return environment !== undefined && names.includes(environment) ? 3 + byScope : undefined
  return environment !== undefined && isolated.includes(environment) ? undefined : 5 + byScope
}

describe('what a stagelet sees', () => {
  it('follows the seven ranks, in 5,000 random projects', () => {
    fc.assert(
      fc.property(
        drawnEntries,
        layouts,
        fc.constantFrom('pr-1', 'pr-2', 'other'),
        fc.constantFrom('web', 'worker'),
        (entries, layout, stagelet, service) => {
          const wins = keys.map((key) => {
            const ranked = entries.flatMap((entry) => {
              const rank =
                entry.key === key ? rankOf(entry, { stagelet, service }, layout) : undefined
              return rank === undefined ? [] : [{ rank, id: entry.secretId }]
            })
            return ranked.sort((a, b) => a.rank - b.rank)[0]?.id
          })
          const seen = visibleTo(service, stagelet, environmentSet({ entries, layout }, stagelet))
          expect(keys.map((key) => seen.find((one) => one.key === key)?.secretId)).toEqual(wins)
        },
      ),
      { numRuns: 5_000 },
    )
  })

  it('is the set itself where no secret names an environment', () => {
    const entries: ProjectEntry[] = []
    const layout = { stagelets: new Map([['pr-1', 'preview']]), isolated: [] }
    expect(environmentSet({ entries, layout }, 'pr-1')).toBe(entries)
  })

  it('is made once for each environment of a set, so that its digests are too', () => {
    const at = { type: 'env', bytes: 1, version: 1, key: 'A', scope: 'global' } as const
    const entries: ProjectEntry[] = [
      { ...at, secretId: 'a', name: 'a', valueDigest: 'a' },
      { ...at, secretId: 'b', name: 'b', valueDigest: 'b', environments: ['preview'] },
    ]
    const layout = {
      stagelets: new Map([
        ['pr-1', 'preview'],
        ['pr-2', 'preview'],
      ]),
      isolated: [],
    }
    const set = environmentSet({ entries, layout }, 'pr-1')
    expect(environmentSet({ entries, layout }, 'pr-2')).toBe(set)
    expect(environmentSet({ entries, layout }, { environment: 'preview' })).toBe(set)
    expect(environmentSet({ entries, layout }, 'other')).not.toBe(set)
  })

  it('has the digest of the same secret of the project: the environment is no part of it', () => {
    const secret: ProjectEntry = {
      secretId: 'a',
      name: 'a',
      version: 1,
      key: 'A',
      scope: 'global',
      type: 'env',
      bytes: 1,
      valueDigest: 'a',
    }
    const layout = { stagelets: new Map([['pr-1', 'preview']]), isolated: [] }
    const digestOf = (entry: ProjectEntry): string | undefined =>
      serviceDigest(visibleTo('web', 'pr-1', environmentSet({ entries: [entry], layout }, 'pr-1')))
    expect(digestOf({ ...secret, environments: ['preview'] })).toBe(digestOf(secret))
  })
})
