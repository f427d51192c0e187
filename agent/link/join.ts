// Joins a controller, by a join token.
import { createPrivateKey } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { realClock, type Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { tryParseJson } from '../../src/kernel/record.ts'
import { readIfThere } from '../../src/kernel/whole-file.ts'
import type { JoinToken } from '../../src/protocol/join-token.ts'
import {
  joinResponse,
  sealJoin,
  type JoinContent,
  type JoinResponse,
} from '../../src/protocol/join.ts'
import { publicKeyFromRaw, rawPublicKey } from '../../src/protocol/keys.ts'
import { agentPaths, protocolVersion } from '../../src/protocol/messages.ts'
import { postUnsigned, RefusedByController } from './controller-client.ts'
import {
  keyPairOf,
  keysFile,
  loadAgentIdentity,
  makeKeyTexts,
  writeIdentityFile,
  writePrivate,
  type AgentIdentity,
  type KeysFile,
} from '../identity/identity.ts'
import { fetchPinnedCa } from '../identity/pinned-ca.ts'

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
): Promise<AgentIdentity> => {
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
  return (await loadAgentIdentity(dataDir))!
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
  const answer = open(await postUnsigned({ url, ca }, agentPaths.join, body))
  if (answer === undefined) {
    const message = 'the server is not the controller that made the join token: its key differs'
    throw new StagelyError('Forbidden', message)
  }
  return joinResponse.parse(tryParseJson(answer))
}

/** True when another try may succeed. */
export const mayRetryJoin = (error: unknown): boolean =>
  error instanceof RefusedByController
    ? error.status >= 500 || error.status === 429
    : error instanceof StagelyError && error.reason === 'ServiceUnavailable'

/** The same keys for each try with one token. */
const prepareKeys = async (dataDir: string, tokenId: string): Promise<KeysFile> => {
  const file = join(dataDir, 'joining.json')
  const text = await readIfThere(file)
  const old = text === undefined ? undefined : keysFile.safeParse(tryParseJson(text)).data
  if (old?.tokenId === tokenId) return old
  const keys = { tokenId, ...makeKeyTexts() }
  await writePrivate(file, keys)
  return keys
}
