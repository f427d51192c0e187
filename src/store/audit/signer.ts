// The key that signs the chain. It is made once, and sealed like the controller's other keys.
import { generateKeyPairSync } from 'node:crypto'
import { createSigner, type HeadSigner } from '../../audit/chain.ts'
import type { Settings } from '../settings.ts'
import type { Store } from '../store.ts'
import { adoptStart } from './chain-row.ts'
import { controllerActor } from '../core/actor.ts'

const setting = 'audit-signing-key'
const chain = { kind: 'AuditChain', namespace: '', name: 'chain' }

/**
 * Prefix of a key whose chain has a start that is signed as a start. The prefix is sealed with the key, so that nobody can
 * remove it to have an old start signed again.
 */
const mark = Buffer.from('starts signed:')

const isMarked = (stored: Buffer): boolean => stored.subarray(0, mark.length).equals(mark)

export const loadSigner = async (settings: Settings, store: Store): Promise<HeadSigner> => {
  const stored = await settings.getSealed(setting)
  if (stored === undefined) return makeKey(settings, store)
  if (isMarked(stored)) return createSigner(stored.subarray(mark.length))
  const signer = createSigner(stored)
  await store.writeWithSession(controllerActor, async (session) => {
    const upTo = await adoptStart(session.tx, signer)
    if (upTo !== undefined) session.audit(chain, { action: 'sign start', detail: { upTo } })
  })
  await settings.replaceSealed(setting, Buffer.concat([mark, stored]))
  return signer
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
