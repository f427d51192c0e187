// The identity of the agent, in DIR/identity.json (0600): its two private keys, and the controller that it belongs to.
// Made at join; only the keys change later (see key-rotation.ts).
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import { StagelyError } from '../../src/kernel/errors.ts'
import { tryParseJson } from '../../src/kernel/record.ts'
import { readIfThere, writeWhole } from '../../src/kernel/whole-file.ts'
import { generateKeys, rawPublicKey, type KeyPair } from '../../src/protocol/keys.ts'

export const keysFile = z.object({
  tokenId: z.string(),
  /** PKCS#8 PEM. */
  ed25519: z.string(),
  x25519: z.string(),
})
export type KeysFile = z.infer<typeof keysFile>
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

export interface AgentIdentity {
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
  const parsed = identityFile.safeParse(tryParseJson(text))
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
export const loadAgentIdentity = async (dataDir: string): Promise<AgentIdentity | undefined> => {
  const file = await readIdentityFile(dataDir)
  if (file === undefined) return undefined
  const { agentUid, namespace, name, controllerId, controllerX25519, url, ca, tokenId } = file
  return {
    agentUid,
    namespace,
    name,
    controllerId,
    url,
    ca,
    tokenId,
    controllerX25519: Buffer.from(controllerX25519, 'base64url'),
    ed25519: createPrivateKey(file.ed25519),
    x25519: keyPairOf(file.x25519),
  }
}

const toPkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Replaces the file as a whole, readable by its owner alone. */
export const writePrivate = (file: string, content: object): Promise<void> =>
  writeWhole(file, JSON.stringify(content, null, 2), { mode: 0o600 })
