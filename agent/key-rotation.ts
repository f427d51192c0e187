// New keys for an agent that has joined, without a new join and without touching a container.
//
// INVARIANTS
// - New keys are on the disk before the controller hears of them, and the old ones until it has taken
//   them: whenever this is cut off, one of the two signs what the other end knows, and it goes on.
// - The old sealing key is forgotten once nothing is sealed to it. Old signing keys stay, a few: a
//   controller that was restored from a backup knows the key of then, and is told the one of now.
import { createPrivateKey, sign } from 'node:crypto'
import type { Clock } from '../src/kernel/clock.ts'
import { StagelyError } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { rawPublicKey, type KeyPair } from '../src/protocol/keys.ts'
import { keysProof, paths } from '../src/protocol/messages.ts'
import { RefusedError, type ControllerClient } from './controller-client.ts'
import {
  keyPairOf,
  makeKeyTexts,
  readIdentityFile,
  writeIdentityFile,
  type Identity,
  type IdentityFile,
} from './identity.ts'

const formerKept = 3

export interface KeyRotation {
  /** The agent's identity; its keys are those of now whenever one looks. */
  readonly identity: Identity
  /** The sealing key, then that of before while something may be sealed to it. */
  readonly sealingKeys: () => readonly [KeyPair, ...KeyPair[]]
  /** A rotation that began is not finished. */
  readonly isPending: () => boolean
  /** Registers new keys, or goes on where an earlier try was cut off. RefusedError, ServiceUnavailable. */
  rotate(client: ControllerClient, request?: string): Promise<void>
  /** The controller does not know the key: tells it by a former one. False where that does not help. */
  recover(client: ControllerClient): Promise<boolean>
  /** Nothing is sealed to the former key any more. */
  resealed(): Promise<void>
}

type KeyTexts = Pick<IdentityFile, 'ed25519' | 'x25519'>

export interface KeyRotationDeps {
  readonly dataDir: string
  readonly identity: Identity
  readonly clock: Clock
  readonly log: Logger
}

/** Reads what an earlier run left behind. */
export const openKeyRotation = async (deps: KeyRotationDeps): Promise<KeyRotation> => {
  const { dataDir, identity, log } = deps
  const found = await readIdentityFile(dataDir)
  if (found === undefined) throw new StagelyError('InternalError', 'the agent has no identity')
  let file = found
  let current = { ed25519: identity.ed25519, x25519: identity.x25519 }
  const live: Identity = {
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
  /** The first of these keys that the controller knows makes it take `wanted`. False: it knows none. */
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
        if (!(error instanceof RefusedError && error.reason === 'BadSignature')) throw error
      }
    }
    return false
  }
  const formers = (): string[] => file.formerEd25519 ?? []

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
      if (!(await register(client, next, [file.ed25519, ed25519, ...formers()])))
        throw new StagelyError('Unauthorized', 'the controller knows none of the agent’s keys')
      await save({
        ...rest,
        ...{ ed25519, x25519 },
        formerEd25519: [file.ed25519, ...formers()].slice(0, formerKept),
        formerX25519: file.x25519,
      })
      current = { ed25519: createPrivateKey(ed25519), x25519: keyPairOf(x25519) }
      log.info({}, 'this agent has new keys')
    },
    recover: async (client) => {
      if (formers().length === 0) return false
      const known = await register(client, file, formers())
      if (known) log.info({}, 'the controller knew keys of before, and has those of now again')
      return known
    },
    resealed: async () => {
      const { formerX25519, ...rest } = file
      if (formerX25519 !== undefined) await save(rest)
    },
  }
}

const postKeys = async (
  { agentUid, controllerId }: Identity,
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
    path: paths.keys,
    body: { ...keys, proof: proof.toString('base64url'), request: wanted.request },
    signedBy,
  })
}
