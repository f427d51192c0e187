// An agent that holds a stream and says nothing by itself: heartbeats are given by the test.
import { randomUUID } from 'node:crypto'
import { createControllerClient } from '../../../agent/link/controller-client.ts'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { createOpener } from '../../../src/protocol/hpke.ts'
import {
  agentPaths,
  protocolVersion,
  streamInfo,
  type StreamMessage,
} from '../../../src/protocol/messages.ts'
import { createLineReader } from '../../../src/protocol/ndjson.ts'
import { authorizeHeartbeat, heartbeatKeyOf } from '../../../src/protocol/heartbeat.ts'

export interface QuietAgent {
  /** The header of its sign with this number. */
  sign(counter: number): string
  /** Sends it. RefusedError where it is not taken. */
  give(header: string): Promise<void>
  isOpen(): boolean
  close(): void
}

/** Resolves when the stream is up. */
export const openQuietAgent = async (identity: AgentIdentity, url: string): Promise<QuietAgent> => {
  const endpoint = { url, ca: identity.ca }
  const client = createControllerClient(endpoint, createRequestSigner(identity, realClock))
  const ending = new AbortController()
  const boot = randomUUID()
  const body = {
    protocol: protocolVersion,
    boot,
    version: '0.0.1',
    now: realClock.now(),
    holds: [],
  }
  const { response, proof } = await client.open({
    path: agentPaths.stream,
    body,
    signal: ending.signal,
  })
  let isOpen = true
  const hello = await new Promise<Extract<StreamMessage, { type: 'hello' }>>((resolve, reject) => {
    const read = createLineReader(1_048_576, (line) => {
      const message = line === '' ? undefined : (JSON.parse(line) as StreamMessage)
      if (message?.type === 'hello') resolve(message)
    })
    response.on('data', read)
    response.on('error', reject)
    response.once('close', () => (isOpen = false))
  })
  const { controllerId, agentUid, x25519, controllerX25519 } = identity
  const opener = createOpener({
    recipient: x25519,
    enc: Buffer.from(hello.enc, 'base64url'),
    info: streamInfo({ controllerId, agentUid, boot, proof }),
    sender: controllerX25519,
  })
  const key = heartbeatKeyOf(opener)
  return {
    sign: (counter) => authorizeHeartbeat(key, hello.stream, counter),
    give: (header) => client.heartbeat(header, ending.signal),
    isOpen: () => isOpen,
    close: () => {
      ending.abort()
      client.close()
    },
  }
}
