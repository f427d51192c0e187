// Gives an agent new keys, without a new join and without any change of a container.
//
// INVARIANTS
// - New keys are written to the disk before the controller gets them, and the old ones stay until it has taken them: after
//   a crash at any point the agent has the key that the controller knows.
// - The old sealing key is deleted when nothing is sealed to it any more. A few old signing keys are kept: a controller
//   that was restored from a backup knows an old one, and gets the present one by it.
import { createPrivateKey, sign } from 'node:crypto'
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { rawPublicKey, type KeyPair } from '../../src/protocol/keys.ts'
import { keysProof, agentPaths } from '../../src/protocol/messages.ts'
import { RefusedByController, type ControllerClient } from './controller-client.ts'
import {
  keyPairOf,
  makeKeyTexts,
  readIdentityFile,
  writeIdentityFile,
  type AgentIdentity,
  type IdentityFile,
} from '../identity/identity.ts'

const formerKept = 3

export interface AgentKeyRotation {
  /** The agent's identity, always with the present keys. */
  readonly identity: AgentIdentity
  /** The present sealing key, then the former one while something may be sealed to it. */
  readonly sealingKeys: () => readonly [KeyPair, ...KeyPair[]]
  /** True while a rotation is not finished. */
  readonly isPending: () => boolean
  /** Registers new keys, or finishes an earlier rotation. RefusedError, ServiceUnavailable. */
  rotate(client: ControllerClient, request?: string): Promise<void>
  /** For a controller that does not know the key: registers it by a former key. False where it knows none. */
  recover(client: ControllerClient): Promise<boolean>
  /** To be called when nothing is sealed to the former key any more. */
  resealed(): Promise<void>
}

type KeyTexts = Pick<IdentityFile, 'ed25519' | 'x25519'>

interface AgentKeyRotationDeps {
  readonly dataDir: string
  readonly identity: AgentIdentity
  readonly clock: Clock
  readonly log: Logger
}

/** Reads the identity, with the state of an earlier rotation. */
export const openKeyRotation = async (deps: AgentKeyRotationDeps): Promise<AgentKeyRotation> => {
  const { dataDir, identity, log } = deps
  const found = await readIdentityFile(dataDir)
  if (found === undefined) throw new StagelyError('InternalError', 'the agent has no identity')
  let file = found
  let current = { ed25519: identity.ed25519, x25519: identity.x25519 }
  const live: AgentIdentity = {
    ...identity,
    get ed25519() {
      return current.ed25519
    },
    get x25519() {
      return current.x25519
    },
  }
  const save = async (next: IdentityFile): Promise<void> => {
    await writeIdentityFile(dataDir, next)
    file = next
  }
  /** Registers `wanted`, signed by the first of these keys that the controller knows. False where it knows none. */
  const register = async (
    client: ControllerClient,
    wanted: KeyTexts & { request?: string | undefined },
    signers: readonly string[],
  ): Promise<boolean> => {
    for (const signer of new Set(signers)) {
      try {
        await postKeys(identity, client, wanted, signer)
        return true
      } catch (error) {
        if (!(error instanceof RefusedByController && error.reason === 'BadSignature')) throw error
      }
    }
    return false
  }
  const formerKeys = (): string[] => file.formerEd25519 ?? []

  return {
    identity: live,
    sealingKeys: () => [
      current.x25519,
      ...(file.formerX25519 === undefined ? [] : [keyPairOf(file.formerX25519)]),
    ],
    isPending: () => file.next !== undefined,
    rotate: async (client, request) => {
      if (file.next === undefined) await save({ ...file, next: { ...makeKeyTexts(), request } })
      const { next = makeKeyTexts(), ...rest } = file
      const { ed25519, x25519 } = next
      if (!(await register(client, next, [file.ed25519, ed25519, ...formerKeys()])))
        throw new StagelyError('Unauthorized', 'the controller knows none of the agent’s keys')
      await save({
        ...rest,
        ed25519,
        x25519,
        formerEd25519: [file.ed25519, ...formerKeys()].slice(0, formerKept),
        formerX25519: file.x25519,
      })
      current = { ed25519: createPrivateKey(ed25519), x25519: keyPairOf(x25519) }
      log.info({}, 'this agent has new keys')
    },
    recover: async (client) => {
      if (formerKeys().length === 0) return false
      const isRegistered = await register(client, file, formerKeys())
      if (isRegistered)
        log.info({}, 'the controller had earlier keys of this agent, and has its newest keys again')
      return isRegistered
    },
    resealed: async () => {
      const { formerX25519, ...rest } = file
      if (formerX25519 !== undefined) await save(rest)
    },
  }
}

const postKeys = async (
  { agentUid, controllerId }: AgentIdentity,
  client: ControllerClient,
  wanted: KeyTexts & { request?: string | undefined },
  signer: string,
): Promise<void> => {
  const signedBy = createPrivateKey(signer)
  const key = createPrivateKey(wanted.ed25519)
  const held = rawPublicKey(signedBy).toString('base64url')
  const keys = {
    ed25519: rawPublicKey(key).toString('base64url'),
    x25519: keyPairOf(wanted.x25519).publicKey.toString('base64url'),
  }
  const proof = sign(null, keysProof({ controllerId, agentUid, held, ...keys }), key)
  await client.post({
    path: agentPaths.keys,
    body: { ...keys, proof: proof.toString('base64url'), request: wanted.request },
    signedBy,
  })
}
