// Whoever tells who sees a secret tells what `sees` does, in any layout: the agent's set, the tables of the dashboard, the
// advice of the API, the store, the controller and the command.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeOverride } from '../../../../cli/apply/override.ts'
import { reachedIn } from '../../../../cli/secrets/import-reach.ts'
import { adviceOfPlace } from '../../../../controller/http/warnings.ts'
import { consumersBySecret } from '../../../../controller/reconcilers/project/decide.ts'
import type {
  ProjectInput,
  StageletObject,
} from '../../../../controller/reconcilers/project/gather.ts'
import { touches } from '../../../../src/access/place.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { secretSpec, type SecretSpec } from '../../../../src/kinds/secret/schema.ts'
import { apiVersion, type KubeObject } from '../../../../src/resources/meta.ts'
import type { Stagelet } from '../../../../src/generated/rest-types.ts'
import { environmentRows } from '../../../../src/secrets/environment-rows.ts'
import { environmentSet } from '../../../../src/secrets/environment-set.ts'
import { layoutOf, type Layout } from '../../../../src/secrets/layout.ts'
import {
  covers,
  isForController,
  overlaps,
  reaches,
  secretPlaceOf,
  sees,
  type SecretPlace,
} from '../../../../src/secrets/place.ts'
import { viewersOf } from '../../../../src/secrets/references.ts'
import type { ProjectEntry } from '../../../../src/secrets/set-entry.ts'
import { visibleTo } from '../../../../src/secrets/visible.ts'
import type { ProjectState } from '../../../../src/store/core/project-state.ts'
import type { WriteSession } from '../../../../src/store/core/write-session.ts'
import { placeOf } from '../../../../src/store/places/places.ts'
import { checkPlainReferences } from '../../../../src/store/secrets/plain-values.ts'
import { resetInSync } from '../../../../src/store/secrets/reset-in-sync.ts'
import { objectRow } from '../../../../src/store/state/rows.ts'
import { isStagedIn } from '../cells.ts'
import { createSetIndex, winnerOf } from '../../project/set-index.ts'
import { explainKey } from '../../stagelet/precedence.ts'
import { servicesIn } from './environment-columns.tsx'
import { createMatrix } from '../../project/matrix.ts'

const services = ['web', 'backend', 'worker']
const environments = ['production', 'staging', 'preview']
const names = ['prod', 'test', 'dev']

const layouts: fc.Arbitrary<Layout> = fc
  .tuple(
    fc.tuple(...names.map(() => fc.constantFrom(undefined, ...environments))),
    fc.subarray(environments),
  )
  .map(([places, isolated]) =>
    layoutOf(
      places.map((environment, i) => ({ name: names[i]!, environment })),
      isolated,
    ),
  )

const projectRef = { name: 'shop' }
/** A worker has no secret of its own. */
const scope = fc.constantFrom('global', 'web', 'backend')
const specs: fc.Arbitrary<SecretSpec> = fc
  .oneof(
    { weight: 3, arbitrary: fc.record({ scope }) },
    {
      weight: 3,
      arbitrary: fc.record({
        scope,
        stageletRef: fc.record({ name: fc.constantFrom(...names, 'gone') }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        scope,
        environments: fc.subarray(environments, { minLength: 1 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ audience: 'Controller' as const }) },
  )
  .map((given) => secretSpec.parse({ projectRef, key: 'A', ...given }))

const entryOf = (spec: SecretSpec, more: Partial<ProjectEntry> = {}): ProjectEntry => ({
  secretId: 'a',
  name: 'a',
  version: 1,
  key: 'A',
  type: 'env',
  bytes: 1,
  valueDigest: 'x',
  ...defined(secretPlaceOf(spec)),
  ...more,
})

const viewers = names.flatMap((stagelet) => services.map((service) => ({ stagelet, service })))
const textOf = ({ stagelet, service }: (typeof viewers)[number]): string => `${stagelet}/${service}`
const seeing = (place: SecretPlace, layout: Layout): string[] =>
  viewers.filter((viewer) => sees(place, viewer, layout)).map(textOf)

const project = (isolated: readonly string[]): KubeObject => ({
  apiVersion,
  kind: 'Project',
  metadata: { name: 'shop', namespace: 'team' },
  spec: {
    environments: environments.map((name) => ({
      name,
      ...(isolated.includes(name) && { inherits: 'Nothing' }),
    })),
  },
})

const condition = { type: 'SecretsInSync', status: 'True', reason: 'InSync', message: '' }

/** `composeKeys` of one service. */
const stageletObject = (name: string, layout: Layout, having = ''): KubeObject => ({
  apiVersion,
  kind: 'Stagelet',
  metadata: { name, namespace: 'team', uid: name },
  spec: { projectRef, ...defined({ environment: layout.stagelets.get(name) }) },
  status: {
    conditions: [condition],
    services: services.map((service) => ({
      name: service,
      state: 'running',
      wantedDigest: 'x',
      keys: ['A'],
      composeKeys: having === `${name}/${service}` ? ['A'] : [],
    })),
  },
})
const stageletObjects = (layout: Layout, having?: string): KubeObject[] =>
  names.map((name) => stageletObject(name, layout, having))

const secretObject = (spec: SecretSpec): KubeObject => ({
  apiVersion,
  kind: 'StagelySecret',
  metadata: { name: 'a', namespace: 'team', uid: 'a' },
  spec: { ...spec },
  status: { version: 1 },
})

const shown = (layout: Layout): Stagelet[] =>
  names.map(
    (name) =>
      ({
        name,
        environment: layout.stagelets.get(name),
        services: services.map((service) => ({ name: service, state: 'running', in_sync: true })),
      }) as unknown as Stagelet,
  )

const runs = { numRuns: 1_000 }
const always = (check: (spec: SecretSpec, layout: Layout) => void): void =>
  fc.assert(fc.property(specs, layouts, check), runs)
const eventually = (check: (spec: SecretSpec, layout: Layout) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(specs, layouts, check), runs)

it('is what a service gets of the set of its stagelet', () => {
  always((spec, layout) => {
    const entry = entryOf(spec)
    const got = viewers.filter(
      ({ stagelet, service }) =>
        visibleTo(service, stagelet, environmentSet({ entries: [entry], layout }, stagelet))
          .length > 0,
    )
    expect(got.map(textOf)).toEqual(seeing(entry, layout))
  })
})

it('is true of each winner among rivals, and there is one where somebody sees any', () => {
  fc.assert(
    fc.property(fc.array(specs, { maxLength: 5 }), layouts, (list, layout) => {
      const entries = list.map((spec, i) => entryOf(spec, { secretId: `${i}` }))
      const head = createSetIndex({ entries, layout })
      for (const viewer of viewers) {
        const { service, stagelet } = viewer
        const seen = entries.filter((entry) => sees(entry, viewer, layout))
        const [winner] = visibleTo(service, stagelet, environmentSet({ entries, layout }, stagelet))
        expect(winner !== undefined).toBe(seen.length > 0)
        if (winner !== undefined)
          expect(seen.map(({ secretId }) => secretId)).toContain(winner.secretId)
        expect(winnerOf(head, viewer, 'A')?.secretId).toBe(winner?.secretId)
      }
    }),
    runs,
  )
})

it('is what the tables of the dashboard tell', () => {
  always((spec, layout) => {
    const entry = entryOf(spec)
    const expected = seeing(entry, layout)
    const head = createSetIndex({ entries: [entry], layout })
    const matrix = createMatrix(head, shown(layout), () => undefined)
    expect(matrix.runsOf({ id: 'a', key: 'A' }).total).toBe(expected.length)
    const consumers = matrix.consumersOf({ id: 'a', key: 'A' })
    expect(consumers.map((one) => `${one.stagelet.name}/${one.service.name}`)).toEqual(expected)
    const edit = {
      id: 1,
      op: 'update' as const,
      secretId: 'a',
      key: 'A',
      scope: spec.scope,
      type: 'env' as const,
      ...defined({ stagelet: spec.stageletRef?.name }),
    }
    const staged = matrix.serviceRefs.filter((one) => isStagedIn(edit, [one], { head }))
    expect(staged.map(textOf)).toEqual(expected)
    const won = viewers.filter((viewer) => {
      const asked = { ...viewer, key: 'A', composeKeys: [] }
      return explainKey({ entries: [entry], layout }, asked).ranks.some((rank) => rank.won)
    })
    expect(won.map(textOf)).toEqual(expected)
  })
})

it('is what the columns of environments tell', () => {
  always((spec, layout) => {
    const entry = entryOf(spec)
    const head = createSetIndex({ entries: [entry], layout })
    const matrix = createMatrix(head, shown(layout), () => undefined)
    const listed = environments.map((name) =>
      defined({ name, inherits: layout.isolated.includes(name) ? 'Nothing' : undefined }),
    )
    const [row] = environmentRows([entry], listed)
    const shownRow = { ...row!, id: 'a', edits: [], isStaged: false }
    for (const environment of environments) {
      const isThere = reaches(entry, { environment }, layout)
      expect(row!.environments.has(environment)).toBe(isThere)
      // Where the key is missing, they are those that would see it there.
      const place = isThere ? entry : { scope: entry.scope, environments: [environment] }
      const inside = viewers.filter(
        ({ stagelet }) => layout.stagelets.get(stagelet) === environment,
      )
      expect(servicesIn(matrix, shownRow, environment).map(textOf)).toEqual(
        inside.filter((viewer) => sees(place, viewer, layout)).map(textOf),
      )
    }
  })
})

it('is whom the advice of the API means', () =>
  eventually(async (spec, layout) => {
    const advised: string[] = []
    for (const viewer of viewers.map(textOf)) {
      const summary = {
        stagelets: stageletObjects(layout, viewer),
        isolated: layout.isolated,
        envSecrets: 2,
        isDeclared: true,
        withKey: () => [],
      }
      const store = { projectSummary: () => Promise.resolve(summary) }
      const advice = await adviceOfPlace(store, secretObject(spec), undefined)
      if (advice.some(({ message }) => message.includes(viewer))) advised.push(viewer)
    }
    expect(advised).toEqual(seeing(secretPlaceOf(spec), layout))
  }))

it('is how a plain value is judged that refers to a masked one', () => {
  fc.assert(
    fc.property(specs, specs, layouts, (spec, other, layout) => {
      const template = entryOf(spec, { plain: true, references: ['B'] })
      const target = entryOf(other, { secretId: 'b', name: 'b', key: 'B' })
      const entries = [template, target]
      const state = { uid: 'p', layout, ref: { kind: 'Project', namespace: 'team', name: 'shop' } }
      const session = {
        secretChanges: [{ project: state, entry: template }],
        layoutChanges: [],
        loaded: new Map([['p', state]]),
        headsOf: () => entries.map((entry) => ({ entry })),
        head: (id: string) => entries.find(({ secretId }) => secretId === id),
      } as unknown as WriteSession
      const isMet = viewersOf({ entries, layout }).some(
        (viewer) =>
          reaches(template, viewer, layout) &&
          sees(target, { stagelet: viewer, service: template.scope }, layout),
      )
      const check = expect(() => checkPlainReferences(session))
      if (isMet) check.toThrow('masked')
      else check.not.toThrow()
    }),
    runs,
  )
})

it('is which stagelets a write sets out of sync', () =>
  eventually(async (spec, layout) => {
    const put: string[] = []
    const session = {
      now: '2026-01-01T00:00:00Z',
      pause: () => Promise.resolve(),
      put: ({ metadata }: KubeObject) => put.push(metadata.name),
    } as unknown as WriteSession
    const stagelets = stageletObjects(layout).map((object) => {
      const ref = { kind: 'Stagelet', namespace: 'team', name: object.metadata.name }
      const text = JSON.stringify(object)
      return objectRow(ref, { uid: ref.name, rv: 1, source: 'api', text })
    })
    const state = { closed: 1, layout } as ProjectState
    const entry = entryOf(spec)
    await resetInSync(session, state, { stagelets, entries: [entry] })
    const isSeen = (stagelet: string): boolean =>
      services.some((service) => sees(entry, { stagelet, service }, layout))
    expect(put).toEqual(names.filter(isSeen))
  }))

it('is whom the controller counts', () => {
  always((spec, layout) => {
    const entry = entryOf(spec)
    const input = {
      head: { projectUid: 'p', epoch: 1, revision: 1, entries: [entry], layout },
      stagelets: stageletObjects(layout) as unknown as StageletObject[],
    } as unknown as ProjectInput
    const consumers = consumersBySecret(input).get('a') ?? []
    expect(consumers.map((one) => `${one.stagelet.metadata.name}/${one.service.name}`)).toEqual(
      seeing(entry, layout),
    )
  })
})

it('is in which environments a login needs its rights', () => {
  always((spec, layout) => {
    const objects = [project(layout.isolated), ...stageletObjects(layout)]
    const place = placeOf(secretObject(spec), (ref) =>
      objects.find(({ kind, metadata }) => kind === ref.kind && metadata.name === ref.name),
    )
    const where = (name: string): boolean => touches({ environments: [name] }, place!)
    const own = spec.stageletRef?.name
    expect(environments.filter(where)).toEqual(
      environments.filter((environment) =>
        own === undefined
          ? reaches(secretPlaceOf(spec), { environment }, layout)
          : layout.stagelets.get(own) === environment,
      ),
    )
  })
})

it('is what the command shows and counts', () => {
  always((spec, layout) => {
    const secret = secretObject({ ...spec, type: 'file', file: { path: './a' } })
    const place = secretPlaceOf(spec)
    const owner = project(layout.isolated)
    const stagelets = stageletObjects(layout)
    for (const stagelet of stagelets) {
      const { name } = stagelet.metadata
      const text = describeOverride(stagelet, [secret], owner)
      for (const service of services)
        expect(text.includes(`${service}: A, version 1, is mounted`)).toBe(
          sees(place, { stagelet: name, service }, layout),
        )
    }
    const reached = reachedIn(owner, stagelets, place)
    expect(reached.map(({ metadata }) => metadata.name)).toEqual(
      names.filter((name) => reaches(place, name, layout)),
    )
  })
})

it('agrees with what overlaps and what covers', () => {
  fc.assert(
    fc.property(specs, specs, layouts, (one, two, layout) => {
      const [a, b] = [secretPlaceOf(one), secretPlaceOf(two)]
      const [byA, byB] = [seeing(a, layout), seeing(b, layout)]
      expect(overlaps(a, b)).toBe(overlaps(b, a))
      if (byA.some((viewer) => byB.includes(viewer))) expect(overlaps(a, b)).toBe(true)
      const inherits = layout.isolated.length === 0 || isForController(a)
      if (covers(a, b) && inherits) expect(byA).toEqual(expect.arrayContaining(byB))
    }),
    runs,
  )
})
