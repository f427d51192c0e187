// Keys that notifications of stores are signed with, in memory for some minutes.
import type { Clock } from '../../../src/kernel/clock.ts'
import { after } from '../../../src/kernel/async/pause.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { Store } from '../../../src/store/store.ts'
import { reconcilerActor } from '../../reconcilers/actor.ts'

const keepMs = 600_000

/** A key is read once for each version in ten minutes: whoever posts nonsense fills no audit log. */
export const createSigningKeys = ({
  store,
  clock,
}: {
  readonly store: Pick<Store, 'get' | 'revealSecret'>
  readonly clock: Clock
}) => {
  const kept = new Map<string, { version: string; key: Buffer; ending: AbortController }>()
  const forget = (uid: string): void => {
    kept.get(uid)?.ending.abort()
    kept.delete(uid)
  }
  return {
    forget,
    stop: () => [...kept.keys()].forEach(forget),
    of: async (object: KubeObject, name: string): Promise<Buffer | undefined> => {
      const { uid = '' } = object.metadata
      const ref = { kind: 'StagelySecret', namespace: refOf(object).namespace, name } as const
      const secret = await store.get(ref)
      const version = secret?.status?.version
      if (version === undefined || secret?.spec.audience !== 'Controller') {
        forget(uid)
        return undefined
      }
      const now = `${secret.metadata.uid ?? ''}/${version}`
      const before = kept.get(uid)
      if (before?.version === now) return before.key
      const { value } = await store.revealSecret(reconcilerActor, ref, { way: 'store' })
      const key = Buffer.from(value.toString('utf8').trim())
      forget(uid)
      const ending = new AbortController()
      kept.set(uid, { version: now, key, ending })
      after(clock, keepMs, ending.signal, () => kept.delete(uid))
      return key
    },
  }
}
