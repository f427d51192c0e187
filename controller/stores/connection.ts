// The open provider of a store: made anew when its spec or its credential changes, asked who we are once for each.
import { messageOf, StagelyError } from '../../src/kernel/errors.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import type { SecretStoreSpec } from '../../src/kinds/secret-store/schema.ts'
import { specOf, type Typed } from '../../src/kinds/typed.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { reconcilerActor } from '../reconcilers/actor.ts'
import { StoreFault, type StoreProvider } from './provider.ts'

export interface OpenStore {
  readonly spec: SecretStoreSpec
  readonly namespace: string
  /** The value of spec.auth.secretRef. */
  readonly credential: string | undefined
  readonly spend: (signal: AbortSignal) => Promise<void>
}
export type ProviderOpener = (store: OpenStore) => Promise<StoreProvider>

export interface ConnectionDeps {
  readonly store: Pick<Store, 'get' | 'revealSecret'>
  readonly open: ProviderOpener
  /** Who asks, for the audit; absent: the controller itself. */
  readonly actor?: Actor
}

const unauthorized = (message: string): StoreFault => new StoreFault('Unauthorized', message)

/** The secret with the credential, or why there is none. */
const credentialSecret = async (
  { store }: ConnectionDeps,
  object: KubeObject,
): Promise<Typed<'StagelySecret'> | string | undefined> => {
  const name = specOf('SecretStore', object).auth?.secretRef?.name
  if (name === undefined) return undefined
  const { namespace } = refOf(object)
  const secret = await store.get({ kind: 'StagelySecret', namespace, name })
  if (secret === undefined) return `secret "${name}" (spec.auth.secretRef) does not exist`
  if (secret.spec.audience !== 'Controller')
    return `secret "${name}" (spec.auth.secretRef) is one of services: give it audience: Controller`
  if (secret.status?.version === undefined)
    return `secret "${name}" (spec.auth.secretRef) has no value yet`
  return secret
}

export class StoreConnection {
  readonly #deps: ConnectionDeps
  #open: { key: string; provider: StoreProvider } | undefined
  /** The store was asked whom it takes us for, and has said so. */
  isKnown = false

  constructor(deps: ConnectionDeps) {
    this.#deps = deps
  }

  /** Which credential and spec these are. Names no value. */
  async keyOf(object: KubeObject): Promise<string> {
    const secret = await credentialSecret(this.#deps, object)
    const { uid = '', generation = 1 } = object.metadata
    if (secret === undefined || typeof secret === 'string') return `${uid}/${generation}/none`
    const version = secret.status?.version ?? 0
    return `${uid}/${generation}/${secret.metadata.uid ?? ''}/${version}`
  }

  /** The provider for this spec and credential. Rejects with a StoreFault. */
  async provider(
    object: KubeObject,
    key: string,
    spend: OpenStore['spend'],
  ): Promise<StoreProvider> {
    if (this.#open?.key === key) return this.#open.provider
    await this.close()
    const secret = await credentialSecret(this.#deps, object)
    if (typeof secret === 'string') throw unauthorized(secret)
    const spec = specOf('SecretStore', object)
    const { namespace } = refOf(object)
    const opened =
      secret &&
      (await this.#deps.store.revealSecret(this.#deps.actor ?? reconcilerActor, refOf(secret), {
        way: 'store',
      }))
    const credential = opened?.value.toString('utf8').trim()
    try {
      const provider = await this.#deps.open({ spec, namespace, credential, spend })
      this.#open = { key, provider }
      return provider
    } catch (error) {
      // Of ours, such as an identity that is not granted: no change of the store mends it.
      if (error instanceof StagelyError) throw unauthorized(messageOf(error))
      throw error
    }
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    this.isKnown = false
    await open?.provider.close().catch(() => undefined)
  }
}
