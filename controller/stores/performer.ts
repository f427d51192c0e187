// A runner for each SecretStore, as the feed tells of them. On the leader alone. See ADR 0064.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { Store } from '../../src/store/store.ts'
import { followStore } from '../follow-store.ts'
import { no } from '../reconcilers/verdict.ts'
import type { ProviderOpener } from './connection.ts'
import { Runner } from './runner.ts'
import type { Budgets } from './budgets.ts'
import type { MeasuredStore } from './measured.ts'
import { SecretIndex } from './secret-index.ts'
import { writeOutcomes, type OutcomeWriteDeps } from './write-outcomes.ts'

export interface StoresDeps {
  readonly store: Store
  readonly open: ProviderOpener
  /** Absent: nobody else calls the stores. */
  readonly budgets?: Budgets
  readonly clock: Clock
  readonly log: Logger
  readonly onMeasured?: ((measured: MeasuredStore) => void) | undefined
  readonly onGone?: ((namespace: string, name: string) => void) | undefined
  readonly random?: () => number
  readonly inOne?: OutcomeWriteDeps['inOne']
}

export const startStores = (deps: StoresDeps): { stop(): Promise<void> } => {
  const stopping = new AbortController()
  const { signal } = stopping
  const index = new SecretIndex()
  const runners = new Map<string, Runner>()

  const start = (place: string, object: KubeObject): Runner =>
    new Runner(object, {
      ...deps,
      read: () => {
        const object = index.stores.get(place)
        return object && { object, secrets: index.secretsOf(place) }
      },
      onWritten: (secret) => {
        index.put(secret, false)
      },
    })
  const end = async (place: string): Promise<void> => {
    const runner = runners.get(place)
    runners.delete(place)
    const [namespace = '', name = ''] = place.split('/')
    deps.onGone?.(namespace, name)
    await runner?.stop()
  }
  /** A store that is there has a runner. Of one that is not, its secrets tell. */
  const follow = async (place: string): Promise<void> => {
    const store = index.stores.get(place)
    const runner = runners.get(place)
    // One of the same name may be another one.
    const isOf = runner !== undefined && runner.uid === store?.metadata.uid
    if (isOf) runner.schedule()
    else if (runner !== undefined) await end(place)
    if (store === undefined) await tellMissing(deps, index, place)
    else if (!isOf) runners.set(place, start(place, store))
  }
  const following = followStore(deps, signal, {
    readAll: async () => {
      await index.read(deps.store)
      const places = new Set([...index.stores.keys(), ...index.named, ...runners.keys()])
      for (const place of places) await follow(place)
    },
    onChanges: async (changes) => {
      const places = new Set(
        changes.flatMap(({ object, type }) => index.put(object, type === 'DELETED')),
      )
      // A credential is a secret too: whoever uses it looks again.
      for (const { object } of changes)
        if (object.kind === 'StagelySecret')
          for (const place of usersOf(index, object.metadata.namespace ?? '', object.metadata.name))
            places.add(place)
      for (const place of places) await follow(place)
    },
  })
  return {
    stop: async () => {
      stopping.abort()
      await following
      await Promise.all([...runners.keys()].map(end))
    },
  }
}

/** Stores whose credential the secret is. */
const usersOf = (index: SecretIndex, namespace: string, name: string): string[] =>
  [...index.stores]
    .filter(([, { spec, metadata }]) => {
      const auth = spec?.['auth'] as { secretRef?: { name: string } } | undefined
      return metadata.namespace === namespace && auth?.secretRef?.name === name
    })
    .map(([place]) => place)

const tellMissing = async (deps: StoresDeps, index: SecretIndex, place: string): Promise<void> => {
  const [namespace = '', name = ''] = place.split('/')
  const fresh = no('StoreMissing', `store "${name}" does not exist in this namespace`)
  const outcomes = index
    .secretsOf(place)
    .filter((secret) => secret.fresh?.reason !== 'StoreMissing')
    .map((secret) => ({ secret, last: secret.last, fresh }))
  if (outcomes.length === 0) return
  const ref = { kind: 'SecretStore', namespace, name }
  await writeOutcomes(deps, { uid: '', ref, spec: {} }, outcomes)
}
