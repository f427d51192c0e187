// The identity of the agent, in DIR/identity.json (0600): its two private keys, and the controller that it belongs to.
// Made at join; only the keys change later (see key-rotation.ts).
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { realClock, type Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { parseJson } from '../../src/kernel/record.ts'
import { readIfThere, writeWhole } from '../../src/kernel/whole-file.ts'
import type { JoinToken } from '../../src/protocol/join-token.ts'
import {
  joinResponse,
  sealJoin,
  type JoinContent,
  type JoinResponse,
} from '../../src/protocol/join.ts'
import {
  generateKeys,
  publicKeyFromRaw,
  rawPublicKey,
  type KeyPair,
} from '../../src/protocol/keys.ts'
import { paths, protocolVersion } from '../../src/protocol/messages.ts'
import { postUnsigned, RefusedError } from '../link/controller-client.ts'
import { fetchPinnedCa } from './pinned-ca.ts'

const keysFile = z.object({
  tokenId: z.string(),
  /** PKCS#8 PEM. */
  ed25519: z.string(),
  x25519: z.string(),
})
const keyTexts = keysFile.omit({ tokenId: true })
const identityFile = keysFile.extend({
  /** New keys of a rotation that has not finished: the controller may have them already. */
  next: keyTexts.extend({ request: z.string().optional() }).optional(),
  /** Former signing keys, newest first: a controller that was restored from a backup may know only one of these. */
  formerEd25519: z.array(z.string()).optional(),
  /** Former sealing key, while something is sealed to it. */
  formerX25519: z.string().optional(),
  version: z.literal(1),
  agentUid: z.string(),
  namespace: z.string(),
  name: z.string(),
  controllerId: z.string(),
  controllerX25519: z.string(),
  url: z.string(),
  /** PEM; absent where the machine's trust store is used. */
  ca: z.string().optional(),
})

export interface Identity {
  readonly agentUid: string
  readonly namespace: string
  readonly name: string
  readonly controllerId: string
  /** Raw 32 bytes. */
  readonly controllerX25519: Buffer
  readonly url: string
  readonly ca: string | undefined
  readonly ed25519: KeyObject
  readonly x25519: KeyPair
  /** Id of the join token. */
  readonly tokenId: string
}

export type IdentityFile = z.infer<typeof identityFile>

const pathIn = (dataDir: string): string => join(dataDir, 'identity.json')

/** The file's content; undefined before the first join. InternalError when the file is damaged. */
export const readIdentityFile = async (dataDir: string): Promise<IdentityFile | undefined> => {
  const file = pathIn(dataDir)
  const text = await readIfThere(file)
  if (text === undefined) return undefined
  const parsed = identityFile.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const message = `${file} is damaged: restore it, or revoke this agent and join anew with an empty folder`
  throw new StagelyError('InternalError', message)
}

export const writeIdentityFile = (dataDir: string, file: IdentityFile): Promise<void> =>
  writePrivate(pathIn(dataDir), file)

/** A key pair from its private key as PEM. */
export const keyPairOf = (pem: string): KeyPair => {
  const privateKey = createPrivateKey(pem)
  return { privateKey, publicKey: rawPublicKey(privateKey) }
}

/** New keys in the form of the file. */
export const makeKeyTexts = (): z.infer<typeof keyTexts> => ({
  ed25519: toPkcs8(generateKeys('Ed25519').privateKey),
  x25519: toPkcs8(generateKeys('X25519').privateKey),
})

/** The stored identity; undefined before the first join. InternalError when the file is damaged. */
export const loadIdentity = async (dataDir: string): Promise<Identity | undefined> => {
  const file = await readIdentityFile(dataDir)
  if (file === undefined) return undefined
  const { agentUid, namespace, name, controllerId, controllerX25519, url, ca, tokenId } = file
  return {
    ...{ agentUid, namespace, name, controllerId, url, ca, tokenId },
    controllerX25519: Buffer.from(controllerX25519, 'base64url'),
    ed25519: createPrivateKey(file.ed25519),
    x25519: keyPairOf(file.x25519),
  }
}

/**
 * Registers this machine with the controller that the token names, and stores the identity. The keys are written to
 * the disk before the token is used, so that a join whose answer got lost can be repeated. RefusedError,
 * ServiceUnavailable.
 */
export const joinController = async (
  dataDir: string,
  token: JoinToken,
  version: string,
  clock: Pick<Clock, 'now'> = realClock,
): Promise<Identity> => {
  if (token.ca !== 'system' && !token.url.startsWith('https:')) {
    throw new StagelyError('BadRequest', 'the join token pins a CA, but its URL is not https')
  }
  const ca = token.ca === 'system' ? undefined : await fetchPinnedCa(token.url, token.ca)
  const keys = await prepareKeys(dataDir, token.tokenId)
  const { agentUid, controllerId, controllerX25519 } = await askToJoin(token, ca, {
    tokenSecret: token.tokenSecret,
    namespace: token.namespace,
    name: token.name,
    ed25519: rawPublicKey(createPrivateKey(keys.ed25519)).toString('base64url'),
    x25519: keyPairOf(keys.x25519).publicKey.toString('base64url'),
    version,
    counter: clock.now(),
  })
  await writeIdentityFile(dataDir, {
    ...keys,
    version: 1,
    agentUid,
    namespace: token.namespace,
    name: token.name,
    controllerId,
    controllerX25519,
    url: token.url,
    ...defined({ ca }),
  })
  await rm(join(dataDir, 'joining.json'), { force: true })
  return (await loadIdentity(dataDir))!
}

/** Posts the join, sealed to the key that the token names: only the controller with that key can answer. */
const askToJoin = async (
  { url, tokenId, controllerX25519 }: JoinToken,
  ca: string | undefined,
  content: JoinContent,
): Promise<JoinResponse> => {
  const pinned = publicKeyFromRaw('X25519', Buffer.from(controllerX25519, 'base64url'))
  const { enc, sealed, open } = sealJoin(pinned, tokenId, content)
  const body = { protocol: protocolVersion, tokenId, enc, sealed }
  const answer = open(await postUnsigned({ url, ca }, paths.join, body))
  if (answer === undefined) {
    const message = 'the server is not the controller that made the join token: its key differs'
    throw new StagelyError('Forbidden', message)
  }
  return joinResponse.parse(parseJson(answer))
}

/** True when another try may succeed. */
export const mayRetryJoin = (error: unknown): boolean =>
  error instanceof RefusedError
    ? error.status >= 500 || error.status === 429
    : error instanceof StagelyError && error.reason === 'ServiceUnavailable'

const prepareKeys = async (dataDir: string, tokenId: string): Promise<z.infer<typeof keysFile>> => {
  const file = join(dataDir, 'joining.json')
  const text = await readIfThere(file)
  const old = text === undefined ? undefined : keysFile.safeParse(parseJson(text)).data
  if (old?.tokenId === tokenId) return old
  const keys = { tokenId, ...makeKeyTexts() }
  await writePrivate(file, keys)
  return keys
}

const toPkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Replaces the file as a whole, readable by its owner alone. */
const writePrivate = (file: string, content: object): Promise<void> =>
  writeWhole(file, JSON.stringify(content, null, 2), { mode: 0o600 })
