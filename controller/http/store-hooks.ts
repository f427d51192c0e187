// /hooks/stores/ID: a store says that something has changed. Signed; names keys, and carries no value.
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { specOf } from '../../src/kinds/typed.ts'
import type { Store } from '../../src/store/store.ts'
import { gatherNotifications } from '../stores/notifications/gathered-notifications.ts'
import {
  isNotificationSigned,
  keysOf,
  type StoreNotification,
} from '../stores/notifications/notifications.ts'
import { createSigningKeys } from '../stores/notifications/signing-keys.ts'
import type { App, AppContext } from './env.ts'
import { readBytes } from './kube/body.ts'
import { parseId } from './rest/ids.ts'

interface StoreHooksDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}

const mostBytes = 65_536

/** The same for a store that is nowhere, that takes no notifications, and for another signature. */
const refused = (): StagelyError =>
  new StagelyError('Unauthorized', 'there is no such hook, or the signature is not that of its key')

export const mountStoreHooks = (app: App, deps: StoreHooksDeps): { stop(): Promise<void> } => {
  const { store, clock } = deps
  const notifications = gatherNotifications(deps)
  const signingKeys = createSigningKeys(deps)

  const hooked = async (c: AppContext): Promise<Response> => {
    const uid = parseId('SecretStore', c.req.param('id') ?? '')
    const body = await readBytes(c, mostBytes)
    const object = uid === undefined ? undefined : await store.getByUid('SecretStore', uid)
    const hook = object && specOf('SecretStore', object).push?.hook
    if (uid !== undefined && hook === undefined) signingKeys.forget(uid)
    if (uid === undefined || object === undefined || hook === undefined) throw refused()
    const key = await signingKeys.of(object, hook.signingKeyRef.name)
    const notification: StoreNotification = { body, header: (name) => c.req.header(name) }
    const signing = { key: key ?? Buffer.alloc(0), nowMs: clock.now() }
    if (!isNotificationSigned(hook.signature, notification, signing)) throw refused()
    const keys = keysOf(notification)
    const address = c.get('address')
    notifications.receive(uid, {
      object,
      address,
      keys: keys.length === 0 ? undefined : new Set(keys),
    })
    return c.body(null, 202)
  }
  app.post('/hooks/stores/:id', async (c) => {
    try {
      return await hooked(c)
    } catch (error) {
      if (!(error instanceof StagelyError) || error.reason !== 'Unauthorized') throw error
      return c.json({ reason: error.reason, message: error.message }, 401)
    }
  })
  return {
    stop: async () => {
      signingKeys.stop()
      await notifications.stop()
    },
  }
}
