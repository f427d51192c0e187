// The key that signs the chain. It is made once, and sealed like the controller's other keys.
import { generateKeyPairSync } from 'node:crypto'
import { createSigner, type HeadSigner } from '../../audit/chain.ts'
import type { Settings } from '../settings.ts'
import type { Store } from '../store.ts'
import { controllerActor } from '../core/actor.ts'

const setting = 'audit-signing-key'
const chain = { kind: 'AuditChain', namespace: '', name: 'chain' }

/** Prefix of every stored key. */
const mark = Buffer.from('starts signed:')

export const loadSigner = async (settings: Settings, store: Store): Promise<HeadSigner> => {
  const stored = await settings.getSealed(setting)
  return stored === undefined
    ? makeKey(settings, store)
    : createSigner(stored.subarray(mark.length))
}

/** Audited first: no audit, no key. */
const makeKey = async (settings: Settings, store: Store): Promise<HeadSigner> => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  const { publicKey } = createSigner(pkcs8)
  await store.audit(controllerActor, chain, { action: 'create signing key', detail: { publicKey } })
  await settings.putSealedIfAbsent(setting, Buffer.concat([mark, pkcs8]))
  return loadSigner(settings, store)
}
