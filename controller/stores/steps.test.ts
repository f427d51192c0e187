import { expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import type { KubeObject, ObjectRef } from '../../src/resources/meta.ts'
import type { SecretStatus } from '../../src/kinds/secret/schema.ts'
import type { Store } from '../../src/store/store.ts'
import type { StoreStep } from './decide-store.ts'
import type { Ref, StoreProvider } from './provider.ts'
import { step, type StepResult } from './steps.ts'
import { storeSecretOf } from './store-secret.ts'

const secretStore = {
  uid: 's',
  ref: { kind: 'SecretStore', namespace: 'default', name: 'here' },
  spec: { allow: { projects: ['shop'], remote: ['*'] } },
}
const secretOf = (key: string): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name: key, namespace: 'default', uid: key },
  spec: {
    projectRef: { name: 'shop' },
    key: 'DB',
    scope: 'global',
    type: 'env',
    valueFrom: { external: { store: 'here', key } },
  },
})

/** Secrets of these keys in a store of ours that keeps them in memory. */
const world = (...keys: string[]) => {
  const objects = new Map(keys.map((key) => [key, secretOf(key)]))
  const values = new Map<string, string>()
  const tx = {
    get: ({ name }: ObjectRef) => Promise.resolve(objects.get(name)),
    putFetched: ({ name }: ObjectRef, { value }: { value: Buffer }) => {
      values.set(name, value.toString())
      return Promise.resolve(objects.get(name))
    },
    setStatus: (object: KubeObject) => {
      objects.set(object.metadata.name, object)
      return Promise.resolve(object)
    },
  }
  const store = {
    write: (_: unknown, __: unknown, work: (one: typeof tx) => unknown) => work(tx),
  } as unknown as Store
  const fetching = (fetch: StoreProvider['fetch'], kind: StoreStep): Promise<StepResult> => {
    const allowed = [...objects.values()].map((object) => storeSecretOf(object)!)
    const provider = {
      limits: { batch: 10, perMinute: 60, parallel: 1 },
      readVersions: (refs: readonly Ref[]) =>
        Promise.resolve({
          versions: new Map(refs.map((ref) => [ref, { version: 'v2' }])),
          lagMs: 0,
        }),
      fetch,
    } as unknown as StoreProvider
    const { signal } = new AbortController()
    return step(
      { store, provider, signal, clock: createFakeClock() },
      {
        secretStore,
        allowed,
        news: [],
        requests: { keys },
        notifiedKeys: keys,
        kind,
        cursor: undefined,
        areDeletionsHeld: false,
        isResumed: false,
      },
    )
  }
  return { objects, values, fetching }
}

it('two names of one secret have its value, also where the provider gives it once', async () => {
  const { values, fetching } = world('db', '/db')
  const one = { version: 'v1', value: Buffer.from('a-value') }
  await fetching((refs) => Promise.resolve(new Map(refs.map((ref) => [ref, one]))), 'keys')
  expect([...values]).toEqual([
    ['db', 'a-value'],
    ['/db', 'a-value'],
  ])
  expect(one.value.every((byte) => byte === 0)).toBe(true)
})

it.each(['keys', 'notifications'] as const)(
  'a step for %s says when another step has written of its secret meanwhile',
  async (kind) => {
    const { objects, values, fetching } = world('db')
    const answer = (refs: readonly Ref[]) =>
      new Map(refs.map((ref) => [ref, { version: 'v2', value: Buffer.from('second') }]))
    const overtaken = await fetching((refs) => {
      const external: SecretStatus['external'] = { version: 'v1', place: 'here' }
      objects.set('db', { ...objects.get('db')!, status: { external } })
      return Promise.resolve(answer(refs))
    }, kind)
    expect(overtaken.isOvertaken).toBe(true)
    expect(values.size).toBe(0)
    const again = await fetching((refs) => Promise.resolve(answer(refs)), kind)
    expect(again.isOvertaken).toBe(false)
    expect(values.get('db')).toBe('second')
    // One that is gone is nobody's to write.
    const gone = await fetching((refs) => {
      objects.delete('db')
      return Promise.resolve(answer(refs))
    }, kind)
    expect(gone.isOvertaken).toBe(false)
  },
)
