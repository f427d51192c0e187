import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { objectRow, term, type StoredRow } from './rows.ts'
import { Overlay, StoreState } from './state.ts'

const kinds = ['StagelySecret', 'Namespace', 'Event']
const names = ['a', 'b', 'c']

interface Step {
  kind: string
  namespace: string
  name: string
  key: string
  isGone: boolean
}

const step = fc.record<Step>({
  kind: fc.constantFrom(...kinds),
  namespace: fc.constantFrom('x', 'x-y', 'y'),
  name: fc.constantFrom(...names),
  key: fc.constantFrom('K', 'L'),
  isGone: fc.boolean(),
})

const rowOf = ({ kind, namespace, name, key }: Step, rv: number): StoredRow => {
  const ref = { kind, namespace: kind === 'Namespace' ? '' : namespace, name }
  const object = {
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace: ref.namespace },
    spec: { projectRef: { name: 'shop' }, key, type: 'env', involvedObject: { uid: key } },
  }
  return objectRow(ref, {
    uid: `${kind} ${namespace} ${name}`,
    rv,
    source: 'api',
    text: JSON.stringify(object),
  })
}

const put = (state: StoreState, change: Step, rv: number): void => {
  const row = rowOf(change, rv)
  const nothing = { projects: [], heads: [], deletedSecrets: [], removedNamespaces: [] }
  state.apply({ ...nothing, objects: [[row.id, change.isGone ? undefined : row]] }, rv)
}

const terms = [
  ...kinds.map(term.kind),
  term.about('x', 'K'),
  ...['x', 'x-y', 'y'].flatMap((namespace) => [
    term.inNamespace(namespace),
    term.secretsWithKey({ namespace, name: 'shop' }, 'K'),
    term.secretsOf({ namespace, name: 'shop' }),
  ]),
]

const foundBy = (view: StoreState | Overlay): unknown =>
  terms.map((wanted) =>
    view.objects
      .withTerm(wanted)
      .map(({ id, rv }) => `${id} ${rv}`)
      .sort(),
  )

describe('State', () => {
  it('shows through overlays what the same changes make of it', () => {
    fc.assert(
      fc.property(fc.array(step), fc.array(step), fc.array(step), (first, second, third) => {
        const [state, whole] = [
          new StoreState({ rv: 0, epoch: 1 }),
          new StoreState({ rv: 0, epoch: 1 }),
        ]
        let rv = 0
        for (const change of first) {
          put(state, change, ++rv)
          put(whole, change, rv)
        }
        const group = new Overlay(state)
        for (const steps of [second, third]) {
          const session = new Overlay(group)
          for (const change of steps) {
            const row = rowOf(change, ++rv)
            session.objects.set(row.id, change.isGone ? undefined : row)
            put(whole, change, rv)
          }
          group.merge(session)
        }
        expect(foundBy(group)).toEqual(foundBy(whole))
        state.apply(group.delta, rv)
        expect(foundBy(state)).toEqual(foundBy(whole))
        for (const kind of kinds) expect(state.names.list(kind)).toEqual(whole.names.list(kind))
      }),
    )
  })

  it('lists by namespace and name, each by its bytes', () => {
    const state = new StoreState({ rv: 0, epoch: 1 })
    const places = [
      ['x-y', 'a'],
      ['x', 'b'],
      ['x', 'a-b'],
      ['x', 'a'],
      ['y', 'a'],
    ]
    for (const [i, [namespace = '', name = '']] of places.entries())
      put(state, { kind: 'Event', namespace, name, key: 'K', isGone: false }, i + 1)
    const all = ['x/a', 'x/a-b', 'x/b', 'x-y/a', 'y/a'].map((place) => `Event/${place}`)
    expect(state.names.list('Event')).toEqual(all)
    expect(state.names.list('Event', { namespace: 'x' })).toEqual(all.slice(0, 3))
    expect(state.names.list('Event', { after: { namespace: 'x', name: 'a' } })).toEqual(
      all.slice(1),
    )
    expect(
      state.names.list('Event', { namespace: 'x', after: { namespace: 'x', name: 'a-a' } }),
    ).toEqual(all.slice(1, 3))
    put(state, { kind: 'Event', namespace: 'x', name: 'b', key: 'K', isGone: true }, 9)
    expect(state.names.list('Event', { namespace: 'x' })).toEqual(all.slice(0, 2))
  })
})
