import { describe, expect, it } from 'vitest'
import { bodyOfPeer, signPeerRequest } from './token.ts'

const key = Buffer.alloc(32, 1)
const request = { to: 'replica-b', path: '/peer/v1/logs/take' }
const body = '{"a":1}'
const now = 1_790_000_000_000

describe('a request of another controller', () => {
  const token = signPeerRequest(key, { ...request, body }, now)

  it('is known by the key that both have, before its body has come', () => {
    const isBody = bodyOfPeer(key, request, token, now + 59_000)
    expect([isBody?.(Buffer.from(body)), isBody?.(Buffer.from('{"a":2}'))]).toEqual([true, false])
    expect(bodyOfPeer(Buffer.alloc(32, 2), request, token, now)).toBeUndefined()
  })

  it('is of no use elsewhere, later, or with another digest', () => {
    for (const change of [{ to: 'replica-c' }, { path: '/peer/v1/logs/ask' }])
      expect(bodyOfPeer(key, { ...request, ...change }, token, now)).toBeUndefined()
    expect(bodyOfPeer(key, request, token, now + 61_000)).toBeUndefined()
    expect(bodyOfPeer(key, request, token, now - 61_000)).toBeUndefined()
    const [time, , mac] = token.split('.')
    const [, other] = signPeerRequest(key, { ...request, body: '{"a":2}' }, now).split('.')
    expect(bodyOfPeer(key, request, `${time!}.${other!}.${mac!}`, now)).toBeUndefined()
  })

  it('is refused when its token is none', () => {
    for (const text of ['', '..', `${now}`, `${now}.`, `x${token}`, token.slice(0, -2)])
      expect(bodyOfPeer(key, request, text, now)).toBeUndefined()
  })
})
