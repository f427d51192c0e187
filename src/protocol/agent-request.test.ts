import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  acceptSession,
  authorizeByKey,
  authorizeInSession,
  beginSession,
  digestOf,
  isByKey,
  isOfSession,
  macOf,
  openMessage,
  parseCredentials,
  sealMessage,
  type Credentials,
  type RequestLine,
} from './agent-request.ts'
import { generateKeys, publicKeyFromRaw } from './keys.ts'

const controller = generateKeys('X25519')
const agent = generateKeys('Ed25519')
const agentKey = publicKeyFromRaw('Ed25519', agent.publicKey)
const parties = { controllerId: 'controller-1', agentUid: 'agent-1' }
const { enc, keys } = beginSession(parties, publicKeyFromRaw('X25519', controller.publicKey))
const line: RequestLine = {
  method: 'POST',
  path: '/agent/v1/report?a=1',
  controllerId: 'controller-1',
}
const session = 'x'.repeat(22)
const body = Buffer.from('sealed already')
const stamp = { counter: 7, time: 1_700_000_000_000 }

const parsed = <F extends Credentials['form']>(form: F, header: string) => {
  const credentials = parseCredentials(header)
  if (credentials?.form !== form) throw new Error(`not in ${form} form`)
  return credentials as Extract<Credentials, { form: F }>
}
const inSession = () =>
  parsed('session', authorizeInSession(line, body, { session, keys, ...stamp }).header)
const byKey = () => {
  const by = { agentUid: 'agent-1', enc, ed25519: agent.privateKey, ...stamp }
  return parsed('key', authorizeByKey(line, body, by).header)
}
const otherLines: RequestLine[] = [
  { ...line, method: 'PUT' },
  { ...line, path: '/agent/v1/report' },
  { ...line, path: '/agent/v1/keys' },
  { ...line, controllerId: 'controller-2' },
]
const other = 'A'.repeat(43)

test('both ends of a session have the same keys, one for each use, and others for other parties', () => {
  expect(acceptSession(parties, controller, enc)).toEqual(keys)
  expect(keys.request).not.toEqual(keys.answer)
  expect(acceptSession({ ...parties, agentUid: 'agent-2' }, controller, enc)).not.toEqual(keys)
  expect(acceptSession(parties, generateKeys('X25519'), enc)).not.toEqual(keys)
  const zero = Buffer.alloc(32).toString('base64url')
  expect(() => acceptSession(parties, controller, zero)).toThrow(/not usable/)
})

test('the MAC is HMAC-SHA256', () => {
  const key = Buffer.from(keys.mac.inner.map((byte) => byte ^ 0x36))
  for (const text of ['', 'a', 'ü'.repeat(300)])
    expect(macOf(keys.mac, text)).toEqual(createHmac('sha256', key).update(text).digest())
})

test('the MAC of a session is of one method, path, query, audience, counter, time and body', () => {
  const good = inSession()
  expect(good).toMatchObject({ session, ...stamp, digest: digestOf(body) })
  expect(isOfSession(line, good, keys)).toBe(true)
  for (const changed of otherLines) expect(isOfSession(changed, good, keys)).toBe(false)
  for (const change of [
    { counter: 8 },
    { time: 1 },
    { digest: other },
    { session: 'y'.repeat(22) },
    { proof: other },
  ])
    expect(isOfSession(line, { ...good, ...change }, keys)).toBe(false)
  const { keys: others } = beginSession(parties, publicKeyFromRaw('X25519', controller.publicKey))
  expect(isOfSession(line, good, others)).toBe(false)
})

test('the signature of a key is of one request, agent and session', () => {
  const good = byKey()
  expect(isByKey(line, good, agentKey)).toBe(true)
  for (const changed of otherLines) expect(isByKey(changed, good, agentKey)).toBe(false)
  for (const change of [
    { counter: 8 },
    { time: 1 },
    { digest: other },
    { agentUid: 'agent-2' },
    { enc: other },
    { proof: 'A'.repeat(86) },
  ])
    expect(isByKey(line, { ...good, ...change }, agentKey)).toBe(false)
  const stranger = publicKeyFromRaw('Ed25519', generateKeys('Ed25519').publicKey)
  expect(isByKey(line, good, stranger)).toBe(false)
})

test('other texts are no credentials', () => {
  const { header } = authorizeInSession(line, body, { session, keys, ...stamp })
  expect(parseCredentials(header)).toBeDefined()
  for (const text of [
    '',
    'Bearer a.b.c',
    header.slice(1),
    `${header}A`,
    `${header}\n`,
    header.replace('.7.', '.-7.'),
    header.replace('.7.', '.9e15.'),
    header.replace('.7.', '.9000000000000000.'),
  ])
    expect(parseCredentials(text), text).toBeUndefined()
})

test('what is sealed opens in its own direction and for its own counter, unchanged', () => {
  const sealed = sealMessage(keys.request, 7, 'a report')
  expect(openMessage(keys.request, 7, sealed)).toBe('a report')
  expect(openMessage(keys.request, 8, sealed)).toBeUndefined()
  expect(openMessage(keys.answer, 7, sealed)).toBeUndefined()
  expect(openMessage(keys.request, 7, sealed.subarray(0, 9))).toBeUndefined()
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed)
    changed[i] = changed[i]! ^ 1
    expect(openMessage(keys.request, 7, changed)).toBeUndefined()
  }
})
