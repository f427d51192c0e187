// A secret that takes its value from a store, as far as the machine of stores needs it. Pure.
import { createHash } from 'node:crypto'
import { findCondition, type Condition } from '../../src/resources/conditions.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'
import { providerOf, type SecretStoreSpec } from '../../src/kinds/secret-store/schema.ts'
import type { SecretSpec, SecretStatus } from '../../src/kinds/secret/schema.ts'
import type { ExternalSpec } from '../../src/kinds/secret/value-source.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'

export interface StoreSecret {
  readonly uid: string
  /** resourceVersion, as a number. */
  readonly rv: number
  readonly ref: ObjectRef
  readonly project: string
  readonly external: ExternalSpec
  readonly spec: SecretSpec
  readonly generation: number
  readonly hasValue: boolean
  /** What was fetched last. */
  readonly last: NonNullable<SecretStatus['external']>
  readonly fresh: Condition | undefined
}

export interface StoreObject {
  readonly uid: string
  readonly ref: ObjectRef
  readonly spec: SecretStoreSpec
}

/** undefined for what takes its value from elsewhere, or is on its way out. */
export const storeSecretOf = (object: KubeObject): StoreSecret | undefined => {
  const spec = specOf('StagelySecret', object)
  const external = spec.valueFrom?.external
  if (external === undefined || object.metadata.deletionTimestamp !== undefined) return undefined
  const status = statusOf('StagelySecret', object)
  return {
    uid: object.metadata.uid ?? '',
    rv: Number(object.metadata.resourceVersion ?? 0),
    ref: refOf(object),
    project: spec.projectRef.name,
    external,
    spec,
    generation: object.metadata.generation ?? 1,
    hasValue: status.version !== undefined,
    last: status.external ?? {},
    fresh: findCondition(status.conditions, 'Fresh'),
  }
}

/** One text for one thing to ask the store. */
export const askedOf = ({ key, version }: ExternalSpec): string => JSON.stringify([key, version])

const places = new WeakMap<StoreSecret, { spec: SecretStoreSpec; place: string }>()

/** Another place, or another rule for the value, is fetched anew: versions of two places say nothing of each other. */
export const placeInStore = (store: StoreObject, secret: StoreSecret): string => {
  const cachedPlace = places.get(secret)
  if (cachedPlace?.spec === store.spec) return cachedPlace.place
  const place = digestOfPlace(store, secret)
  places.set(secret, { spec: store.spec, place })
  return place
}

const digestOfPlace = (store: StoreObject, { external, spec }: StoreSecret): string => {
  const provider = providerOf(store.spec)
  const { store: _, ...asked } = external
  const { type, format, pattern } = spec
  const block = provider === undefined ? undefined : [provider, store.spec[provider]]
  const text = JSON.stringify([store.uid, block, asked, type, format, pattern])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
