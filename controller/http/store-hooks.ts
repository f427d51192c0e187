// /hooks/stores/ID: a store says that something has changed. Signed; names keys, and carries no value.
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { annotations, refOf, type KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/resources/typed.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { reconcilerActor } from '../reconcilers/actor.ts'
import { isSigned, keysOf, type Hint } from '../stores/hints.ts'
import type { App, AppContext } from './env.ts'
import { readBytes } from './kube/body.ts'
import { parseId } from './rest/ids.ts'

export interface StoreHooksDeps {
  readonly store: Store
  readonly clock: Clock
  readonly stopping: AbortSignal
}

/** Hints that come together start one look. */
const gatherMs = 5_000
const mostBytes = 65_536

interface Waiting {
  readonly keys: Set<string>
  /** One of them names no key. */
  isWhole: boolean
}

const actorOf = (object: KubeObject, address: string): Actor => {
  const { namespace, name } = refOf(object)
  return { name: `hook:${namespace}/${name}`, source: 'system', address }
}

/** The same for a store that is nowhere, that takes no hints, and for another signature. */
const refused = (): StagelyError =>
  new StagelyError('Unauthorized', 'there is no such hook, or the signature is not that of its key')

export const mountStoreHooks = (app: App, deps: StoreHooksDeps): void => {
  const { store, clock, stopping } = deps
  /** Stores (by uid) that were asked within the last seconds, with what came since. */
  const waiting = new Map<string, Waiting>()
  const signingKeyOf = createSigningKeys(store)

  const ask = (object: KubeObject, { keys, isWhole }: Waiting, address: string): Promise<unknown> =>
    store.write(actorOf(object, address), {}, async (tx) => {
      const current = await tx.get(refOf(object))
      if (current === undefined || current.metadata.uid !== object.metadata.uid) return
      const at = new Date(clock.now()).toISOString()
      const text = [`${at} hint`, ...(isWhole ? [] : keys)].join('\n')
      const texts = { ...current.metadata.annotations, [annotations.refresh]: text }
      await tx.update({ ...current, metadata: { ...current.metadata, annotations: texts } })
    })

  /** At once, and what comes in the seconds after that together. */
  const heed = async (object: KubeObject, named: readonly string[], address: string) => {
    const { uid = '' } = object.metadata
    const before = waiting.get(uid)
    const hint = before ?? { keys: new Set<string>(), isWhole: false }
    for (const key of named) hint.keys.add(key)
    if (named.length === 0 || hint.keys.size > 100) hint.isWhole = true
    if (before !== undefined) return
    waiting.set(uid, { keys: new Set(), isWhole: false })
    await ask(object, hint, address)
    void clock.sleep(gatherMs, stopping).then(
      async () => {
        const later = waiting.get(uid)
        waiting.delete(uid)
        if (later === undefined || (later.keys.size === 0 && !later.isWhole)) return
        await heed(object, later.isWhole ? [] : [...later.keys], address)
      },
      () => waiting.delete(uid),
    )
  }

  const hooked = async (c: AppContext): Promise<Response> => {
    const uid = parseId('SecretStore', c.req.param('id') ?? '')
    const body = await readBytes(c, mostBytes)
    const object = uid === undefined ? undefined : await store.getByUid('SecretStore', uid)
    const hook = object && specOf('SecretStore', object).push?.hook
    if (object === undefined || hook === undefined) throw refused()
    const key = await signingKeyOf(object, hook.signingKeyRef.name)
    const hint: Hint = { body, header: (name) => c.req.header(name) }
    const known = { key: key ?? Buffer.alloc(0), nowMs: clock.now() }
    if (!isSigned(hook.signature, hint, known)) throw refused()
    await heed(object, keysOf(hint), c.get('address'))
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
}

/** Read once for each version: whoever posts nonsense fills no audit log. */
const createSigningKeys = (
  store: Store,
): ((object: KubeObject, name: string) => Promise<Buffer | undefined>) => {
  const kept = new Map<string, { version: string; key: Buffer }>()
  return async (object, name) => {
    const ref = { kind: 'StagelySecret', namespace: refOf(object).namespace, name } as const
    const secret = await store.get(ref)
    const version = secret?.status?.version
    if (version === undefined || secret?.spec.audience !== 'Controller') return undefined
    const { uid = '' } = object.metadata
    const now = `${secret.metadata.uid ?? ''}/${version}`
    const before = kept.get(uid)
    if (before?.version === now) return before.key
    const { value } = await store.revealSecret(reconcilerActor, ref, { way: 'store' })
    const key = Buffer.from(value.toString('utf8').trim())
    kept.set(uid, { version: now, key })
    return key
  }
}
