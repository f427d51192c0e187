import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../test/support/fake-clock.ts'
import { createPeerCheck, signPeerRequest } from './token.ts'

const key = Buffer.alloc(32, 1)
const path = '/peer/v1/logs/take'
const request = { to: 'replica-b', path }
const body = '{"a":1}'
const now = 1_790_000_000_000

/** The replica that is asked, so many ms after the request was signed. */
const askedAfter = (ms: number, { by = key, to = request.to } = {}) =>
  createPeerCheck(by, to, createFakeClock(now + ms))

describe('a request of another controller', () => {
  const token = signPeerRequest(key, { ...request, body }, now)

  it('is known by the key that both have, before its body has come', () => {
    const isBody = askedAfter(59_000)(path, token)
    expect([isBody?.(Buffer.from(body)), isBody?.(Buffer.from('{"a":2}'))]).toEqual([true, false])
    expect(askedAfter(0, { by: Buffer.alloc(32, 2) })(path, token)).toBeUndefined()
  })

  it('is of no use elsewhere, later, or with another digest', () => {
    expect(askedAfter(0, { to: 'replica-c' })(path, token)).toBeUndefined()
    expect(askedAfter(0)('/peer/v1/logs/ask', token)).toBeUndefined()
    expect(askedAfter(61_000)(path, token)).toBeUndefined()
    expect(askedAfter(-61_000)(path, token)).toBeUndefined()
    const [time, , mac] = token.split('.')
    const [, other] = signPeerRequest(key, { ...request, body: '{"a":2}' }, now).split('.')
    expect(askedAfter(0)(path, `${time!}.${other!}.${mac!}`)).toBeUndefined()
  })

  it('is answered once, however its token is written', async () => {
    const clock = createFakeClock(now - 59_000)
    const check = createPeerCheck(key, request.to, clock)
    expect(check(path, token)).toBeDefined()
    // The last sign of base64 has two bits that mean nothing.
    const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const twin = token.slice(0, -1) + signs[signs.indexOf(token.at(-1)!) ^ 1]!
    expect(Buffer.from(twin.split('.')[2]!, 'base64url')).toEqual(
      Buffer.from(token.split('.')[2]!, 'base64url'),
    )
    for (let second = 0; second <= 118; second++) {
      for (const again of [token, twin, `0${token}`]) expect(check(path, again)).toBeUndefined()
      await clock.advance(1_000)
    }
    const next = signPeerRequest(key, { ...request, body }, clock.now() + 1)
    expect(check(path, next)).toBeDefined()
  })

  it('is refused when its token is none', () => {
    for (const text of ['', '..', `${now}`, `${now}.`, `x${token}`, token.slice(0, -2)])
      expect(askedAfter(0)(path, text)).toBeUndefined()
  })
})
