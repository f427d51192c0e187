// Stores and the secrets that take their values from them, as the feed tells of them.
import { keyOf, refOf, type KubeObject } from '../../src/resources/meta.ts'
import type { Store } from '../../src/store/store.ts'
import { storeSecretOf, type StoreSecret } from './store-secret.ts'

const placeOfStore = (namespace: string, name: string): string => `${namespace}/${name}`

export class SecretIndex {
  /** By namespace/name. */
  readonly stores = new Map<string, KubeObject>()
  readonly #byStore = new Map<string, Map<string, StoreSecret>>()
  /** Of each secret, by its key, the store that it names. */
  readonly #storeOf = new Map<string, string>()

  secretsOf(store: string): StoreSecret[] {
    return [...(this.#byStore.get(store)?.values() ?? [])]
  }

  /** Names of stores that secrets name, whether they are there or not. */
  get named(): string[] {
    return [...this.#byStore.keys()]
  }

  async read(store: Pick<Store, 'list' | 'listRows'>): Promise<void> {
    this.stores.clear()
    this.#byStore.clear()
    this.#storeOf.clear()
    for (const object of (await store.list('SecretStore')).items) this.put(object, false)
    for (const { object } of await store.listRows('StagelySecret', { fromStores: true }))
      this.put(object, false)
  }

  /** The stores (namespace/name) that the change concerns. */
  put(object: KubeObject, isGone: boolean): string[] {
    const { kind, namespace, name } = refOf(object)
    if (kind === 'SecretStore') {
      const place = placeOfStore(namespace, name)
      if (isGone) this.stores.delete(place)
      else this.stores.set(place, object)
      return [place]
    }
    return kind === 'StagelySecret' ? this.#putSecret(object, isGone) : []
  }

  #putSecret(object: KubeObject, isGone: boolean): string[] {
    const key = keyOf(refOf(object))
    const secret = isGone ? undefined : storeSecretOf(object)
    const before = this.#storeOf.get(key)
    const after = secret && placeOfStore(secret.ref.namespace, secret.external.store)
    if (before !== undefined && before !== after) this.#take(before, key)
    if (secret === undefined || after === undefined) return before === undefined ? [] : [before]
    const secrets = this.#byStore.get(after) ?? new Map<string, StoreSecret>()
    // What a runner has just written comes by the feed too, later.
    if ((secrets.get(key)?.rv ?? 0) > secret.rv) return []
    this.#byStore.set(after, secrets.set(key, secret))
    this.#storeOf.set(key, after)
    return before === undefined || before === after ? [after] : [before, after]
  }

  #take(store: string, key: string): void {
    const secrets = this.#byStore.get(store)
    secrets?.delete(key)
    if (secrets?.size === 0) this.#byStore.delete(store)
    this.#storeOf.delete(key)
  }
}
