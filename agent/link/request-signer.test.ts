import { expect, test } from 'vitest'
import {
  acceptSession,
  isOfSession,
  parseCredentials,
  sealMessage,
} from '../../src/protocol/agent-request.ts'
import { generateKeys } from '../../src/protocol/keys.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { createRequestSigner } from './request-signer.ts'

const controller = generateKeys('X25519')
const anIdentity = () => ({
  agentUid: 'agent-1',
  controllerId: 'controller-1',
  controllerX25519: controller.publicKey,
  ed25519: generateKeys('Ed25519').privateKey,
})
const request = { method: 'POST', path: '/agent/v1/report', body: { a: 1 } }
const formOf = ({ authorization }: { authorization: string }) => parseCredentials(authorization)!
const sessions = ['a', 'b'].map((letter) => letter.repeat(22))

test('a request that is signed by the key begins a session, which later ones are in', () => {
  const identity = anIdentity()
  const signer = createRequestSigner(identity, createFakeClock())
  const line = { ...request, controllerId: identity.controllerId }
  const first = signer.sign(request, {})
  const by = formOf(first)
  if (by.form !== 'key') throw new Error('not signed by the key')
  first.taken(sessions[0])
  const keys = acceptSession(identity, controller, by.enc)
  expect(first.open(sealMessage(keys.answer, 0, '{"b":2}'))).toEqual({ b: 2 })
  expect(() => first.open(sealMessage(keys.request, 0, '{"b":2}'))).toThrow(/in its place/)
  for (const counter of [1, 2]) {
    const next = formOf(signer.sign(request, {}))
    expect(next).toMatchObject({ form: 'session', session: sessions[0], counter })
    expect(isOfSession(line, next as typeof next & { form: 'session' }, keys)).toBe(true)
  }
})

test('each connection keeps the session of the replica that it leads to', () => {
  const signer = createRequestSigner(anIdentity(), createFakeClock())
  const [here, there] = [{}, {}]
  signer.sign(request, here).taken(sessions[0])
  const unknown = signer.sign(request, there)
  expect(formOf(unknown)).toMatchObject({ session: sessions[0] })
  unknown.refused(undefined)
  signer.sign(request, here)
  const again = signer.sign(request, there)
  expect(formOf(again).form).toBe('key')
  again.taken(sessions[1])
  expect(formOf(signer.sign(request, there))).toMatchObject({ session: sessions[1] })
  expect(formOf(signer.sign(request, {}))).toMatchObject({ session: sessions[1] })
})

test('another key of the agent ends its sessions', () => {
  const identity = anIdentity()
  const signer = createRequestSigner(identity, createFakeClock())
  signer.sign(request, identity).taken(sessions[0])
  identity.ed25519 = generateKeys('Ed25519').privateKey
  expect(formOf(signer.sign(request, identity)).form).toBe('key')
})

test('counters of the key rise, over what the controller knows too, but not to a number out of all reason', () => {
  const clock = createFakeClock()
  const signer = createRequestSigner(anIdentity(), clock)
  const counters = () => formOf(signer.sign(request, {})).counter
  const first = counters()
  expect(first).toBe(clock.now())
  expect(counters()).toBe(first + 1)
  signer.sign(request, {}).refused(first + 60_000)
  expect(counters()).toBe(first + 60_001)
  signer.sign(request, {}).refused(9_000_000_000_000)
  expect(counters()).toBe(first + 60_003)
})

test('what is signed by the key leaves one at a time, and what is in a session at once', async () => {
  const signer = createRequestSigner(anIdentity(), createFakeClock())
  const order: string[] = []
  let release!: () => void
  const released = new Promise<void>((resolve) => (release = resolve))
  const slow = signer.inOrder({}, async () => {
    await released
    order.push('first')
    signer.sign(request, {}).taken(sessions[0])
    throw new Error('lost')
  })
  const next = signer.inOrder({}, () => {
    order.push(formOf(signer.sign(request, {})).form)
    return Promise.resolve()
  })
  await Promise.resolve()
  expect(order).toEqual([])
  release()
  await expect(slow).rejects.toThrow('lost')
  await next
  await signer.inOrder({}, () => Promise.resolve(order.push('at once')))
  expect(order).toEqual(['first', 'session', 'at once'])
})
