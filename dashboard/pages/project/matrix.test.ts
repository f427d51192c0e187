import fc from 'fast-check'
import { expect, it } from 'vitest'
import { consumersBySecret, runsCurrent } from '../../../controller/reconcilers/project/decide.ts'
import type {
  ProjectInput,
  SecretObject,
  StageletObject,
} from '../../../controller/reconcilers/project/gather.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import type { Layout } from '../../../src/secrets/layout.ts'
import { diffSets } from '../../../src/store/core/set-diff.ts'
import type { ProjectEntry } from '../../../src/secrets/set-entry.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { Service, SetDiff, Stagelet } from '../../../src/generated/rest-types.ts'
import { aStagelet } from '../../../test/support/builders.ts'
import { createMatrix } from './matrix.ts'
import { createSetIndex, setBefore } from './set-index.ts'
import { versusOf } from '../secrets/cells.ts'

const keys = ['A', 'B', 'C']
const services = ['web', 'backend']
const stagelets = ['prod', 'test']

interface Spot {
  readonly key: string
  readonly scope: string
  readonly stagelet: string | undefined
  readonly environments?: readonly string[]
}
const spots: readonly Spot[] = keys.flatMap((key) =>
  ['global', ...services].flatMap((scope) => [
    ...[undefined, ...stagelets].map((stagelet) => ({ key, scope, stagelet })),
    ...['production', 'preview'].map((environment) => ({
      key,
      scope,
      stagelet: undefined,
      environments: [environment],
    })),
  ]),
)
/** Stagelets in environments, one of which may see nothing of the whole project. */
const layouts: fc.Arbitrary<Layout> = fc.record({
  stagelets: fc
    .tuple(...stagelets.map(() => fc.constantFrom(undefined, 'production', 'preview')))
    .map(
      (places) =>
        new Map(
          places.flatMap((place, i) => (place === undefined ? [] : [[stagelets[i]!, place]])),
        ),
    ),
  isolated: fc.constantFrom([], ['preview'], ['production']),
})

/** A secret in two sets: its version in each, 0 where it is not there, and whether its last text refers to A. */
interface Made {
  readonly spot: number
  readonly before: number
  readonly now: number
  readonly refers: boolean
}

const made: fc.Arbitrary<readonly Made[]> = fc.uniqueArray(
  fc.record({
    spot: fc.nat(spots.length - 1),
    before: fc.nat(2),
    now: fc.nat(3),
    refers: fc.boolean(),
  }),
  { selector: ({ spot }) => spot, maxLength: 10 },
)

const entryOf = ({ spot, refers }: Made, version: number): ProjectEntry => {
  const { key, scope, stagelet, environments } = spots[spot]!
  return {
    secretId: `sec_${spot}`,
    name: `s${spot}`,
    version,
    key,
    scope,
    type: 'env',
    bytes: 1,
    ...defined({ stagelet, environments }),
    valueDigest: `${spot} ${version}`,
    // Only to a secret that is always there, so that no reference is broken.
    ...(refers && key !== 'A' ? { references: ['global/BASE'] } : {}),
  }
}
const base = (version: number): ProjectEntry => ({
  secretId: 'sec_base',
  name: 'base',
  version,
  key: 'BASE',
  scope: 'global',
  type: 'env',
  bytes: 1,
  valueDigest: `base ${version}`,
})

/** Also for those that see nothing of the whole project, so that no reference is broken. */
const basesOf = (version: number, { isolated }: Layout): ProjectEntry[] => [
  base(version),
  ...isolated.map((environment) => ({
    ...base(version),
    secretId: `sec_base_${environment}`,
    name: `base-${environment}`,
    environments: [environment],
  })),
]

/** As the REST API answers. */
const asAnswer = (before: readonly ProjectEntry[], after: readonly ProjectEntry[]): SetDiff => {
  const { added, removed, changed } = diffSets(before, after)
  const named = ({ secretId: id, environments, ...rest }: (typeof added)[number]) => ({
    id,
    ...rest,
    ...(environments !== undefined && { environments: [...environments] }),
  })
  return {
    added: added.map(named),
    removed: removed.map(named),
    changed: changed.map(({ secretId: id, fromVersion, toVersion, what, ...change }) => ({
      id,
      name: change.name,
      key: change.key,
      scope: change.scope,
      what: [...what],
      ...(change.stagelet === undefined ? {} : { stagelet: change.stagelet }),
      from_version: fromVersion,
      to_version: toVersion,
    })),
  }
}

const service = (name: string, revision: number): Service => ({
  name,
  revision,
  state: 'running',
  in_sync: revision === 2,
  since: '2026-01-01T00:00:00Z',
})
/** `prod` runs revision 1, `test` the newest. */
const shown = stagelets.map(
  (name): Stagelet =>
    ({
      id: name,
      name,
      team: 'default',
      project: 'shop',
      paused: false,
      conditions: [],
      services: services.map((serviceName) => service(serviceName, name === 'prod' ? 1 : 2)),
    }) as unknown as Stagelet,
)

const worldOf = (
  list: readonly Made[],
  [baseBefore, baseNow]: readonly [number, number],
  layout: Layout,
) => {
  const before = [
    ...basesOf(baseBefore, layout),
    ...list.filter((secret) => secret.before > 0).map((secret) => entryOf(secret, secret.before)),
  ]
  const now = [
    ...basesOf(baseNow, layout),
    ...list
      .filter((secret) => secret.now > 0)
      .map((secret) => entryOf(secret, Math.max(secret.before, secret.now))),
  ]
  const head = createSetIndex({ entries: now, layout })
  const then = setBefore(head, asAnswer(before, now))
  return { before, now, head, then, matrix: createMatrix(head, shown, () => then) }
}

const bases = fc.constantFrom<readonly [number, number]>([1, 1], [1, 2])

it('says of each cell what a service runs just as its digests tell', () => {
  fc.assert(
    fc.property(made, bases, layouts, (list, ofBase, layout) => {
      const { before, now, matrix, then } = worldOf(list, ofBase, layout)
      for (const stagelet of stagelets)
        for (const serviceRef of matrix.serviceRefsOf(stagelet)) {
          const visible = (set: readonly ProjectEntry[]) =>
            new Map(
              visibleTo(
                serviceRef.service,
                stagelet,
                environmentSet({ entries: set, layout }, stagelet),
              ).map((entry) => [entry.key, entry]),
            )
          const [previous, next] = [visible(before), visible(now)]
          for (const key of [...keys, 'BASE']) {
            const [old, wanted] = [previous.get(key), next.get(key)]
            const cell = matrix.cellOf(key, [serviceRef])
            expect(cell?.winners[0]?.secretId).toBe(wanted?.secretId)
            const isSame =
              old?.secretId === wanted?.secretId && old?.valueDigest === wanted?.valueDigest
            if (wanted !== undefined)
              expect(cell?.word).toBe(stagelet === 'test' || isSame ? 'current' : 'behind')
            expect(versusOf(then, matrix, key, [serviceRef])).toBe(
              old === undefined && wanted === undefined
                ? undefined
                : old === undefined
                  ? 'new'
                  : wanted === undefined
                    ? 'gone'
                    : isSame
                      ? 'same'
                      : 'other',
            )
          }
        }
    }),
    { numRuns: 500 },
  )
})

/** The same world as the controller has it. */
const inputOf = (
  before: readonly ProjectEntry[],
  now: readonly ProjectEntry[],
  layout: Layout,
): ProjectInput => {
  const setOf = (entries: readonly ProjectEntry[], revision: number) => ({
    projectUid: 'p',
    epoch: 1,
    revision,
    entries: [...entries],
    layout,
  })
  const metadata = { name: 'shop', namespace: 'default' }
  return {
    now: '2026-01-01T00:00:00Z',
    project: { apiVersion: 'stagely.dev/v1alpha1', kind: 'Project', metadata },
    revisions: { epoch: 1, closed: 2, closesAt: undefined, quietAt: 0 },
    head: setOf(now, 2),
    secrets: [],
    stagelets: shown.map(({ name, services: of }): StageletObject => {
      const status = {
        services: of.map((service) => ({ ...service, state: 'running' as const })),
        conditions: [],
      }
      const made = aStagelet({ status })
      return { ...made, metadata: { ...made.metadata, name } }
    }),
    runningSets: new Map([
      [1, setOf(before, 1)],
      [2, setOf(now, 2)],
    ]),
  }
}

it('says of each secret who sees it and who runs it as the usage of the API does', () => {
  fc.assert(
    fc.property(made, bases, layouts, (list, ofBase, layout) => {
      const { before, now, matrix } = worldOf(list, ofBase, layout)
      const input = inputOf(before, now, layout)
      const consumers = consumersBySecret(input)
      for (const entry of now) {
        const { key, version } = entry
        const asked = {
          metadata: { name: entry.name, namespace: 'default', uid: entry.secretId },
          spec: { key },
          status: { version },
        } as unknown as SecretObject
        const measured = (consumers.get(entry.secretId) ?? []).map(
          (consumer) =>
            `${consumer.stagelet.metadata.name}/${consumer.service.name} ${runsCurrent(input, asked, consumer)}`,
        )
        const here = { id: entry.secretId, key }
        const own = matrix
          .consumersOf(here)
          .map(
            (consumer) =>
              `${consumer.stagelet.name}/${consumer.service.name} ${consumer.isCurrent}`,
          )
        expect(own.sort()).toEqual(measured.sort())
        const runs = matrix.runsOf(here)
        expect(runs.total).toBe(own.length)
        expect(runs.current).toBe(own.filter((text) => text.endsWith('true')).length)
      }
    }),
    { numRuns: 500 },
  )
})

it('counts no service that is stopped, though its container has the newest value', () => {
  const of = (state: string): Stagelet => ({
    ...shown[1]!,
    services: [{ ...service('web', 2), state }, service('backend', 2)],
  })
  const only = (scope: string): ProjectEntry => ({ ...base(1), scope })
  const asked = { id: 'sec_base', key: 'BASE' }
  const runs = (state: string, scope: string) =>
    createMatrix(createSetIndex({ entries: [only(scope)] }), [of(state)], () => undefined).runsOf(
      asked,
    )
  for (const state of ['exited', 'restarting', 'paused', 'created'] as const) {
    expect(runs(state, 'web')).toMatchObject({ word: 'behind', current: 0, total: 1 })
    expect(runs(state, 'global')).toMatchObject({ word: 'behind', current: 1, total: 2 })
  }
  for (const state of ['running', 'completed'] as const)
    expect(runs(state, 'global')).toMatchObject({ word: 'current', current: 2, total: 2 })
})
