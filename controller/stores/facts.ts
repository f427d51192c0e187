// All that is known of a store and its secrets when something is decided.
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/kinds/typed.ts'
import type { StoreConnection } from './connection.ts'
import { isNew } from './decide-secret.ts'
import type { StoreStep } from './decide-store.ts'
import type { Remembered } from './remembered.ts'
import { noRequests, storeRequestsOf, type Requests } from './requests.ts'
import { whyNotAllowed } from './steps.ts'
import { placeInStore, type StoreObject, type StoreSecret } from './store-secret.ts'

export interface ReadStore {
  readonly object: KubeObject
  readonly secrets: readonly StoreSecret[]
}

export interface StoreFacts {
  readonly object: KubeObject
  readonly secretStore: StoreObject
  readonly allowed: readonly StoreSecret[]
  readonly notAllowed: readonly StoreSecret[]
  readonly news: readonly StoreSecret[]
  readonly requests: Requests
  readonly key: string
}

/** `read` undefined: the store is gone. */
export const gatherStoreFacts = async (
  read: ReadStore | undefined,
  connection: StoreConnection,
  answered: Remembered['answered'],
): Promise<StoreFacts | undefined> => {
  if (read === undefined) return undefined
  const { object, secrets } = read
  const spec = specOf('SecretStore', object)
  const secretStore = { uid: object.metadata.uid ?? '', ref: refOf(object), spec }
  const out = secrets.filter((secret) => whyNotAllowed(secretStore, secret) !== undefined)
  const allowed = secrets.filter((secret) => whyNotAllowed(secretStore, secret) === undefined)
  const news = allowed.filter((secret) => isNew(secret, placeInStore(secretStore, secret)))
  const requests = storeRequestsOf(object, answered)
  const key = await connection.keyOf(object)
  return { object, secretStore, allowed, notAllowed: out, news, requests, key }
}

/** What does not wait for the end of a long step. `covered`: secrets (by uid) that a step is under way for. */
export const urgentOf = (
  facts: StoreFacts,
  covered: ReadonlySet<string>,
  notifiedKeys: readonly string[],
): { readonly kind: StoreStep; readonly facts: StoreFacts } | undefined => {
  const news = facts.news.filter(({ uid }) => !covered.has(uid))
  const { keys, refresh } = facts.requests
  const asked = keys.length > 0
  const kind = asked
    ? 'keys'
    : news.length > 0
      ? 'news'
      : notifiedKeys.length > 0
        ? 'notifications'
        : undefined
  if (kind === undefined) return undefined
  const requests = asked ? { ...noRequests, keys, refresh } : noRequests
  return { kind, facts: { ...facts, news, requests } }
}
