import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentSpec } from '../../src/kinds/agent/schema.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type {
  ServiceStatus,
  StageletSpec,
  StageletStatus,
} from '../../src/kinds/stagelet/schema.ts'
import { digestFor } from '../../src/rollout/quarantine.ts'
import { serviceDigest } from '../../src/secrets/digest.ts'
import { visibleTo, type SetEntry } from '../../src/secrets/visible.ts'
import { aContainer } from '../../test/support/agents/a-container.ts'
import { aPlan, aService } from '../../test/support/agents/a-service.ts'
import { aStagelet, anEntry } from '../../test/support/builders.ts'
import { runs } from '../../test/support/soak.ts'
import { withOwnDigests } from '../../src/store/guard/digests.ts'
import { impactOf, withoutWaiting, type Impact } from './impact.ts'
import type { Situation, StageletFacts } from './situation.ts'

type Facts = Partial<StageletFacts> & { spec?: Partial<StageletSpec>; status?: StageletStatus }

const names = (...services: string[]): ServiceStatus[] => services.map((name) => ({ name }))

/** A stagelet with `web` and `db`, unless said otherwise. */
const factsOf = ({ spec, status, ...facts }: Facts = {}, name = 'shop'): StageletFacts => {
  const { metadata, spec: plain, ...rest } = aStagelet()
  return {
    stagelet: {
      ...rest,
      metadata: { ...metadata, name, uid: `uid-${name}` },
      spec: { ...plain, ...spec },
      status: { services: names('web', 'db'), ...status },
    },
    project: 'default/shop',
    agent: undefined,
    rollout: undefined,
    rolloutStatus: undefined,
    closed: 2,
    ...facts,
  }
}

const situation = (
  entries: readonly SetEntry[],
  stagelets: readonly StageletFacts[] = [factsOf()],
): Situation => ({ stagelets, sets: new Map([['default/shop', { entries }]]) })

const impact = (
  before: readonly SetEntry[],
  after: readonly SetEntry[],
  ...stagelets: StageletFacts[]
): Promise<Impact> => {
  const all = stagelets.length === 0 ? [factsOf()] : stagelets
  return impactOf(situation(before, all), situation(after, all))
}

const affectedIn = ({ affected }: Impact): string[] =>
  affected.map((hit) => `${hit.stagelet}/${hit.service} ${hit.keys.join(',')}: ${hit.reason}`)

const agentOf = (spec: AgentSpec): KubeObject<AgentSpec> => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Agent',
  metadata: { name: 'box', namespace: 'default' },
  spec,
})

const a = anEntry({ key: 'A', scope: 'web' })
const newA = anEntry({ key: 'A', scope: 'web', version: 2 })

describe('the impact of a change', () => {
  it('is what services see: a new value, a new key, one that goes', async () => {
    const b = anEntry({ key: 'B' })
    expect(affectedIn(await impact([a, b], [newA, b]))).toEqual(['shop/web A: new value'])
    expect(affectedIn(await impact([a], [a, b]))).toEqual([
      'shop/web B: new key',
      'shop/db B: new key',
    ])
    expect(await impact([a], [])).toMatchObject({
      affected: [{ uid: 'uid-shop', service: 'web', keys: ['A'], reason: 'key gone' }],
      untouched: 1,
    })
  })

  it('is nothing where the secret that loses its place had lost before, or an equal one takes it', async () => {
    const global = anEntry({ key: 'A', version: 9 })
    expect(affectedIn(await impact([a, global], [a]))).toEqual(['shop/db A: key gone'])
    const same = { ...a, secretId: 'other', scope: 'global' }
    expect(affectedIn(await impact([a, same], [same]))).toEqual([])
  })

  it('names the key that refers to what changes', async () => {
    const url = anEntry({ key: 'URL', scope: 'web', references: ['db/A'] })
    const target = { ...a, scope: 'db' }
    expect(affectedIn(await impact([url, target], [url, { ...newA, scope: 'db' }]))).toEqual([
      'shop/web URL: refers to a secret that changes',
      'shop/db A: new value',
    ])
  })

  it('counts a service that is scaled to zero as untouched', async () => {
    const services = [{ name: 'web', state: 'scaledToZero' }]
    const found = await impact([a], [newA], factsOf({ status: { services } }))
    expect(found).toMatchObject({ affected: [], held: [], untouched: 1 })
  })

  it('goes on to those that share a namespace with a service that is re-created', async () => {
    const services = [
      { name: 'web' },
      { name: 'sidecar', sharesWith: ['web'] },
      { name: 'probe', sharesWith: ['sidecar'] },
      { name: 'db' },
    ]
    const { cascaded, untouched } = await impact([a], [newA], factsOf({ status: { services } }))
    expect(cascaded.map((one) => [one.service, one.with])).toEqual([
      ['sidecar', ['web']],
      ['probe', ['sidecar']],
    ])
    expect(untouched).toBe(1)
  })
})

describe('a key that goes to more services', () => {
  const wide = anEntry({ key: 'A', name: 'a' })
  const b = anEntry({ key: 'B' })

  it('is told with its places before, and who sees it now', async () => {
    const { widened } = await impact([a, b], [a, wide, b, anEntry({ key: 'C' })])
    expect(widened).toEqual([
      {
        namespace: 'default',
        project: 'shop',
        secret: 'a',
        key: 'A',
        scope: 'global',
        before: [{ scope: 'web' }],
        services: [{ stagelet: 'shop', service: 'db' }],
      },
    ])
    const own = { ...wide, stagelet: 'shop' }
    expect((await impact([own], [own, wide])).widened).toMatchObject([
      { key: 'A', before: [{ scope: 'global', stagelet: 'shop' }], services: [] },
    ])
  })

  it('is not one with a new value, in a place of its own, or that went as far before', async () => {
    const silent = async (before: SetEntry[], after: SetEntry[]): Promise<void> =>
      expect((await impact(before, after)).widened).toEqual([])
    await silent([a], [newA])
    await silent([a], [a, anEntry({ key: 'A', scope: 'db' })])
    await silent([wide], [{ ...wide, version: 2 }, a])
    await silent([], [wide])
  })
})

describe('a stagelet that no new revision reaches', () => {
  const unknown = (reason: string) => ({
    type: 'SecretsInSync',
    status: 'Unknown' as const,
    reason,
    message: 'agent "box" was last seen at noon',
    lastTransitionTime: '2026-01-02T00:00:00Z',
  })
  const failure = {
    service: 'web',
    digest: digestFor('shop', 'web', [newA]),
    revision: 2,
    retry: '',
    message: 'crashed',
  }
  const stopped = { ...unknown('StoppedByHand'), type: 'Drifted', status: 'True' as const }
  const rollout = { progressDeadlineSeconds: 1, onFailure: 'Stop' } as const
  const braked = { state: 'Braked' } as StageletFacts['rolloutStatus']

  it.each<[string, string | undefined, Facts]>([
    [
      'Paused',
      '2026-01-01T00:00:00Z',
      { spec: { paused: true }, status: { pausedSince: '2026-01-01T00:00:00Z' } },
    ],
    ['AgentPaused', undefined, { agent: agentOf({ paused: true }) }],
    ['AgentDrained', undefined, { agent: agentOf({ drained: true }) }],
    ['AgentAway', '2026-01-02T00:00:00Z', { status: { conditions: [unknown('AgentAway')] } }],
    ['StoppedByHand', '2026-01-02T00:00:00Z', { status: { conditions: [stopped] } }],
    ['RolloutPaused', undefined, { rollout: { ...rollout, paused: true } }],
    ['RolloutBraked', undefined, { rollout, rolloutStatus: braked }],
    ['Quarantined', undefined, { status: { healthyRevision: 1, quarantine: [failure] } }],
    [
      'WaitingForSecrets',
      undefined,
      { spec: { compose: { directory: '/srv', onChange: 'Hold', requires: ['B'] } } },
    ],
  ])('is held: %s', async (why, since, facts) => {
    const services = names('web', 'db')
    const stagelet = factsOf({ ...facts, status: { ...facts.status, services } })
    const { affected, held, untouched } = await impact([a], [newA], stagelet)
    expect({ affected, untouched }).toEqual({ affected: [], untouched: 1 })
    expect(held).toMatchObject([{ why, services: [{ service: 'web', keys: ['A'] }] }])
    expect(held[0]?.since).toBe(since)
    // What does not concern it, it is not told of.
    expect((await impact([a], [a, anEntry({ key: 'C', scope: 'api' })], stagelet)).held).toEqual([])
  })

  it('is held without names where no agent has reported its services', async () => {
    const stagelet = factsOf({ status: { services: [] } })
    const { held } = await impact([a], [newA], stagelet)
    expect(held).toMatchObject([{ why: 'NoReport', services: [] }])
    const others = { ...a, stagelet: 'other' }
    expect((await impact([], [others], stagelet)).held).toEqual([])
  })

  it('is not where what failed is all that it ever had', async () => {
    const stagelet = factsOf({ status: { quarantine: [failure] } })
    expect((await impact([a], [newA], stagelet)).held).toEqual([])
  })
})

describe('a stagelet that went back to an older revision', () => {
  const digest = (entries: readonly SetEntry[], service: string): string =>
    serviceDigest(visibleTo(service, 'shop', entries))!
  const b = anEntry({ key: 'B', scope: 'db' })
  const newB = anEntry({ key: 'B', scope: 'db', version: 2 })
  const failed = [newA, newB]
  const status = {
    healthyRevision: 1,
    quarantine: [
      { service: 'web', digest: digest(failed, 'web'), revision: 2, retry: '', message: '' },
    ],
    services: [
      { name: 'web', runningDigest: digest([a, b], 'web'), revision: 1, state: 'running' },
      { name: 'db', runningDigest: digest([a, b], 'db'), revision: 1, state: 'running' },
    ],
  }

  /** As whoever may not compare services sees it: the project has an AccessPolicy. */
  const guarded = (facts: StageletFacts): StageletFacts => {
    const policy = { kind: 'AccessPolicy', metadata: {}, spec: { projects: ['shop'] } }
    const objects = { withTerm: () => [{ object: policy }] }
    const stagelet = withOwnDigests({ objects } as never, facts.stagelet)
    expect(stagelet).not.toEqual(facts.stagelet)
    return { ...facts, stagelet: stagelet as typeof facts.stagelet }
  }

  it.each([
    ['', (facts: StageletFacts) => facts],
    [', also where its digests are shown re-keyed', guarded],
  ])('keeps its containers when the change is undone%s', async (_, seen) => {
    const undone = await impact(
      failed,
      [
        { ...a, version: 3 },
        { ...b, version: 3 },
      ],
      seen(factsOf({ status })),
    )
    expect(undone).toMatchObject({ affected: [], held: [], untouched: 2 })
  })

  it('takes the rest of that change along with a value that mends it', async () => {
    const mended = anEntry({ key: 'A', scope: 'web', version: 3 })
    expect(affectedIn(await impact(failed, [mended, newB], factsOf({ status })))).toEqual([
      'shop/web A: new value',
      'shop/db : an earlier change goes out with this one',
    ])
  })

  it('keeps a container without a label when the key that failed goes again', async () => {
    const services = [{ name: 'web', revision: 1, state: 'running' }]
    const bare = factsOf({ status: { ...status, services } })
    expect(await impact([newA], [], bare)).toMatchObject({ affected: [], untouched: 1 })
  })
})

describe('a stagelet that awaits its turn in a rollout', () => {
  const rollout = { progressDeadlineSeconds: 1, onFailure: 'Stop' } as const
  const runningDigest = serviceDigest(visibleTo('web', 'shop', [a]))!
  const status = {
    wantedRevision: 1,
    services: [{ name: 'web', runningDigest, revision: 1, state: 'running' }],
  }
  const waiting = situation([newA], [factsOf({ rollout, status })])

  it('is not re-created by an edit that leaves it waiting, and is by one that ends the wait', async () => {
    const left = await impactOf(...withoutWaiting(waiting, waiting))
    expect(left).toMatchObject({ affected: [], held: [], untouched: 0 })
    const ended = situation([newA], [factsOf({ status })])
    expect(affectedIn(await impactOf(...withoutWaiting(waiting, ended)))).toEqual([
      'shop/web : an earlier change goes out with this one',
    ])
  })
})

describe('over random sets', () => {
  const stagelets = ['prod', 'test']
  const services = ['web', 'db', 'api']
  const keys = ['A', 'B', 'C']
  const scope = fc.constantFrom('global', ...services)
  /** `B0` and `B1` are always there, so that no reference leads nowhere. */
  const base = ['B0', 'B1']
  const set = fc
    .record({
      base: fc.array(fc.nat({ max: 2 }), { minLength: 2, maxLength: 2 }),
      others: fc.uniqueArray(
        fc.record({
          key: fc.constantFrom(...keys, ...base),
          scope,
          stagelet: fc.option(fc.constantFrom(...stagelets), { nil: undefined }),
          value: fc.nat({ max: 2 }),
          references: fc.option(fc.subarray(base, { minLength: 1 }), { nil: undefined }),
        }),
        { selector: (e) => `${e.key} ${e.scope} ${e.stagelet ?? ''}`, maxLength: 12 },
      ),
    })
    .map(({ base: values, others }): SetEntry[] => [
      ...base.map((key, i) => entry({ key, scope: 'global', value: values[i]! })),
      ...others
        .filter((e) => !base.includes(e.key) || e.scope !== 'global' || e.stagelet !== undefined)
        .map((e) => entry(base.includes(e.key) ? { ...e, references: undefined } : e)),
    ])
  const entry = (of: {
    key: string
    scope: string
    value: number
    stagelet?: string | undefined
    references?: string[] | undefined
  }): SetEntry => {
    const { key, stagelet, references, value } = of
    return anEntry({
      key,
      scope: of.scope,
      secretId: `${key} ${of.scope} ${stagelet ?? ''}`,
      version: value,
      valueDigest: `${key} ${value} ${references === undefined ? '' : 'refers'}`,
      ...(stagelet === undefined ? {} : { stagelet }),
      ...(references === undefined ? {} : { references }),
    })
  }

  /** Who shares a namespace with whom. */
  const shares = fc.record({
    db: fc.subarray(['web']),
    api: fc.subarray(['web', 'db']),
  })

  /** What an agent re-creates whose containers run the set before, and that is told the set after. */
  const recreated = (
    stagelet: string,
    shared: Readonly<Record<string, string[]>>,
    [before, after]: readonly [readonly SetEntry[], readonly SetEntry[]],
  ): string[] => {
    const digestIn = (entries: readonly SetEntry[], service: string): string =>
      serviceDigest(visibleTo(service, stagelet, entries)) ?? ''
    const { affected, peers } = aPlan({
      services: services.map((name) => aService(name, { sharesWith: shared[name] ?? [] })),
      containers: services.map((name) => aContainer(name, digestIn(before, name))),
      wanted: new Map(services.map((name) => [name, digestIn(after, name)])),
      deployed: services,
    })
    return affected.map(
      (name) => `${stagelet}/${name}${peers.includes(name) ? ' with another' : ''}`,
    )
  }

  it('reaches exactly the services that agents re-create, and those that go along', async () => {
    await fc.assert(
      fc.asyncProperty(
        set,
        set,
        shares,
        async (before, after, shared: Record<string, string[]>) => {
          const status = {
            services: services.map((name) => ({ name, sharesWith: shared[name] ?? [] })),
          }
          const all = stagelets.map((name) => factsOf({ status }, name))
          const found = await impact(before, after, ...all)
          const expected = stagelets.flatMap((name) => recreated(name, shared, [before, after]))
          const told = [
            ...found.affected.map((hit) => `${hit.stagelet}/${hit.service}`),
            ...found.cascaded.map((hit) => `${hit.stagelet}/${hit.service} with another`),
          ]
          expect(told.sort()).toEqual(expected.sort())
          expect(found.affected.every((hit) => hit.keys.length > 0)).toBe(true)
          expect(found.untouched).toBe(stagelets.length * services.length - expected.length)
          expect(found.held).toEqual([])
        },
      ),
      runs(150, 30_000),
    )
  })
})
