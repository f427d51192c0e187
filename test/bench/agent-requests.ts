// agent_request_verify_us: what it costs the controller to know that a request is an agent's, whole and
// new: header, MAC over method, path, counter, time and audience, digest of a body of 500 bytes, counter.
// agent_request_open_us: to open what it says besides.
// agent_sign_of_life_us: to know that a sign of life is one, apart from HTTP and TLS.
import { randomBytes } from 'node:crypto'
import {
  acceptSession,
  authorizeInSession,
  beginSession,
  digestOf,
  isOfSession,
  requestMacKeyOf,
  openMessage,
  parseCredentials,
  sealMessage,
} from '../../src/protocol/agent-request.ts'
import { CounterWindow } from '../../src/protocol/counter-window.ts'
import { authorizeHeartbeat, isHeartbeatBy, parseHeartbeat } from '../../src/protocol/heartbeat.ts'
import { generateKeys, publicKeyFromRaw } from '../../src/protocol/keys.ts'
import { cpuMicrosPerCall, type Row } from './measure.ts'

export const benchAgentRequests = (): Row[] => {
  const controller = generateKeys('X25519')
  const parties = { controllerId: 'bench', agentUid: '8d9cbb8e-6f0c-4a44-9d3c-3f0f2d1a7e11' }
  const { enc } = beginSession(parties, publicKeyFromRaw('X25519', controller.publicKey))
  const keys = acceptSession(parties, controller, enc)
  const session = 'x'.repeat(22)
  const line = { method: 'POST', path: '/agent/v1/report', controllerId: 'bench' }
  const requests = Array.from({ length: 512 }, (_, i) => {
    const counter = i + 1
    const body = sealMessage(keys.request, counter, 'x'.repeat(500))
    const by = { session, keys, counter, time: 1_700_000_000_000 }
    return { body, counter, header: authorizeInSession(line, body, by).header }
  })
  let turn = 0
  let window = new CounterWindow()
  const next = (): (typeof requests)[number] => {
    if (turn % requests.length === 0) window = new CounterWindow()
    return requests[turn++ % requests.length]!
  }
  const verify = (): void => {
    const { body, header } = next()
    const by = parseCredentials(header)
    const isGood =
      by?.form === 'session' &&
      isOfSession(line, by, keys) &&
      digestOf(body) === by.digest &&
      window.take(by.counter)
    if (!isGood) throw new Error('a good request does not verify')
  }
  const open = (): void => {
    const { body, counter } = next()
    if (openMessage(keys.request, counter, body) === undefined) throw new Error('does not open')
  }
  const stream = `${parties.agentUid}.${parties.agentUid}`
  const signKey = requestMacKeyOf(randomBytes(32))
  const signs = Array.from({ length: 512 }, (_, i) => authorizeHeartbeat(signKey, stream, i))
  const hear = (): void => {
    const sign = parseHeartbeat(signs[turn++ % signs.length]!)
    if (sign === undefined || !isHeartbeatBy(signKey, sign)) throw new Error('a good sign is none')
  }
  return [
    { name: 'agent_request_verify_us', value: cpuMicrosPerCall(verify), unit: 'µs' },
    { name: 'agent_sign_of_life_us', value: cpuMicrosPerCall(hear), unit: 'µs' },
    { name: 'agent_request_open_us', value: cpuMicrosPerCall(open), unit: 'µs' },
  ]
}
