// A controller that answers each stream of one agent by hand, for tests of the agent's link.
import { randomUUID } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { silentLogger } from '../../../src/kernel/log.ts'
import {
  acceptSession,
  openMessage,
  parseCredentials,
} from '../../../src/protocol/agent-request.ts'
import { createSealer } from '../../../src/protocol/hpke.ts'
import { generateKeys, publicKeyFromRaw } from '../../../src/protocol/keys.ts'
import {
  bundleAad,
  orderAad,
  protocolVersion,
  streamInfo,
  type StreamRequest,
} from '../../../src/protocol/messages.ts'
import { parseHeartbeat, type Heartbeat } from '../../../src/protocol/heartbeat.ts'
import { createFakeClock, type FakeClock } from '../fake-clock.ts'
import { createControllerClient } from '../../../agent/link/controller-client.ts'
import { createDesiredState } from '../../../agent/link/desired.ts'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'
import { fixedKeys } from '../fixed-keys.ts'
import { runLink } from '../../../agent/link/link.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'

export const controllerKeys = generateKeys('X25519')
export const identity: AgentIdentity = {
  agentUid: 'agent-1',
  namespace: 'team',
  name: 'box',
  controllerId: 'controller-1',
  controllerX25519: controllerKeys.publicKey,
  url: '',
  ca: undefined,
  ed25519: generateKeys('Ed25519').privateKey,
  x25519: generateKeys('X25519'),
  tokenId: 't',
}

/** How it names each stream in heartbeats. */
const [replica, connection] = [randomUUID(), randomUUID()]

/** A controller that answers each stream by hand. */
export interface Fake {
  readonly clock: FakeClock
  readonly requests: StreamRequest[]
  /** Of each request. */
  readonly proofs: string[]
  /** Of life. */
  readonly signs: Heartbeat[]
  readonly streams: ServerResponse[]
  readonly wants: string[]
  readonly logged: string[]
  hello(tweak?: object): ReturnType<typeof createSealer>
  say(message: object): void
  settle(check: () => boolean): Promise<void>
  /** From now on the machine has another Compose. */
  upgrade(): void
}
const ends: (() => Promise<void> | void)[] = []
/** Ends all that were started. */
export const stopFakeControllers = async (): Promise<void> => {
  for (const end of ends.splice(0)) await end()
}

export const startFakeController = async (
  answer: (res: ServerResponse, fake: Fake) => void = () => undefined,
): Promise<Fake> => {
  const clock = createFakeClock()
  const requests: StreamRequest[] = []
  const proofs: string[] = []
  const signs: Heartbeat[] = []
  const streams: ServerResponse[] = []
  const wants: string[] = []
  const logged: string[] = []
  let composeVersion = '2.26.1'
  let seenVersion = composeVersion
  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const sign = parseHeartbeat(req.headers.authorization ?? '')
      if (sign !== undefined) {
        signs.push(sign)
        res.writeHead(204).end()
        return
      }
      // No session is begun, so that each request is signed by the key.
      const by = parseCredentials(req.headers.authorization ?? '')
      if (by?.form !== 'key') throw new Error('the request is not signed by the key')
      const { request } = acceptSession(identity, controllerKeys, by.enc)
      requests.push(JSON.parse(openMessage(request, 0, Buffer.concat(chunks))!) as StreamRequest)
      proofs.push(by.proof)
      streams.push(res)
      answer(res, fake)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fake: Fake = {
    clock,
    requests,
    proofs,
    signs,
    streams,
    wants,
    logged,
    hello: (tweak = {}) => {
      const { boot } = requests.at(-1)!
      const proof = proofs.at(-1)!
      const { agentUid, controllerId } = identity
      const sealer = createSealer({
        recipient: publicKeyFromRaw('X25519', identity.x25519.publicKey),
        info: streamInfo({ agentUid, controllerId, boot, proof }),
        sender: controllerKeys,
      })
      fake.say({
        type: 'hello',
        protocol: protocolVersion,
        controllerId,
        agentUid,
        enc: sealer.enc.toString('base64url'),
        keepAliveMs: 15_000,
        spreadMs: 4_000,
        stream: `${replica}.${connection}`,
        signMs: 8_000,
        ...tweak,
      })
      return sealer
    },
    say: (message) => {
      streams.at(-1)!.write(`${JSON.stringify(message)}\n`)
    },
    upgrade: () => {
      composeVersion = '2.40.0'
    },
    settle: async (check) => {
      for (let i = 0; !check(); i++) {
        if (i > 500) throw new Error(`did not happen: ${String(check)}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
  const log = { ...silentLogger }
  log.warn = log.error = (fields, message) => {
    logged.push(`${message} ${JSON.stringify(fields)}`)
  }
  const client = createControllerClient(
    { url, ca: undefined },
    createRequestSigner(identity, clock),
  )
  const ending = new AbortController()
  const running = runLink(
    {
      identity,
      client,
      desired: createDesiredState(
        {
          setDesired: (item, entries) =>
            wants.push(`${item.uid} r${item.revision} ${entries.map((e) => e.value).join()}`),
          forget: (uid) => wants.push(`forget ${uid}`),
        },
        silentLogger,
      ),
      about: {
        current: () => ({ boot: 'boot-1', version: 'v', composeVersion: seenVersion }),
        refresh: () => {
          seenVersion = composeVersion
          return Promise.resolve()
        },
      },
      keys: fixedKeys,
      onDemand: () => undefined,
      onConnected: () => wants.push('connected'),
      onLost: () => wants.push('lost'),
      clock,
      random: () => 0.5,
      log,
    },
    ending.signal,
  )
  ends.push(async () => {
    ending.abort()
    await running
    client.close()
    server.closeAllConnections()
    server.close()
  })
  await fake.settle(() => requests.length === 1)
  return fake
}

export const sealed = (
  sealer: ReturnType<typeof createSealer>,
  tweak: { agentUid?: string; said?: object } = {},
): object => {
  const bound = { projectUid: 'p', stageletUid: 's1', epoch: 1, revision: 1 }
  const seq = sealer.seq
  const aad = bundleAad({ ...bound, agentUid: tweak.agentUid ?? identity.agentUid })
  const ciphertext = sealer.seal(aad, Buffer.from('{"entries":[]}')).toString('base64')
  return { type: 'bundle', seq, ...bound, ciphertext, ...tweak.said }
}

export const ordered = (sealer: ReturnType<typeof createSealer>, order: object): object => {
  const seq = sealer.seq
  const plaintext = Buffer.from(JSON.stringify(order))
  const ciphertext = sealer.seal(orderAad(identity.agentUid), plaintext).toString('base64')
  return { type: 'order', seq, ciphertext }
}
