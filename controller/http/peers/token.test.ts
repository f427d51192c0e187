import { describe, expect, it } from 'vitest'
import { isFromPeer, signPeerRequest } from './token.ts'

const key = Buffer.alloc(32, 1)
const request = { to: 'replica-b', path: '/peer/v1/logs/take', body: '{"a":1}' }
const now = 1_790_000_000_000

describe('a request of another controller', () => {
  const token = signPeerRequest(key, request, now)

  it('is known by the key that both have', () => {
    expect(isFromPeer(key, request, token, now + 59_000)).toBe(true)
    expect(isFromPeer(Buffer.alloc(32, 2), request, token, now)).toBe(false)
  })

  it('is of no use elsewhere, later, or with another body', () => {
    for (const change of [{ to: 'replica-c' }, { path: '/peer/v1/logs/ask' }, { body: '{"a":2}' }])
      expect(isFromPeer(key, { ...request, ...change }, token, now)).toBe(false)
    expect(isFromPeer(key, request, token, now + 61_000)).toBe(false)
    expect(isFromPeer(key, request, token, now - 61_000)).toBe(false)
  })

  it('is refused when its token is none', () => {
    for (const text of ['', '.', `${now}`, `${now}.`, `x${token}`, token.slice(0, -2)])
      expect(isFromPeer(key, request, text, now)).toBe(false)
  })
})
