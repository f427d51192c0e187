import { expect, test } from 'vitest'
import { parseJoinToken, renderJoinToken, type JoinToken } from './join-token.ts'

const token: JoinToken = {
  url: 'https://controller.example:7443',
  namespace: 'team-a',
  name: 'web-1',
  tokenId: 'tok_1',
  tokenSecret: 'c2VjcmV0LXNlY3JldA',
  controllerX25519: Buffer.alloc(32, 7).toString('base64url'),
  ca: 'ab'.repeat(32),
}

test('a join token comes back as it went in, pinned CA or system trust', () => {
  const text = renderJoinToken(token)
  expect(text).toMatch(/^sjt_[A-Za-z0-9_-]+$/)
  expect(parseJoinToken(` ${text}\n`)).toEqual(token)
  expect(parseJoinToken(renderJoinToken({ ...token, ca: 'system' })).ca).toBe('system')
})

test('openssl’s way to write a fingerprint is taken', () => {
  const ca = 'AB:'.repeat(32).slice(0, -1)
  expect(parseJoinToken(renderJoinToken({ ...token, ca })).ca).toBe('ab'.repeat(32))
})

test('what is no token is refused with the remedy and without repeating it', () => {
  const text = renderJoinToken(token)
  const future = `sjt_${Buffer.from('[2,"x"]').toString('base64url')}`
  for (const wrong of ['', 'hello', text.slice(0, -9), 'sjt_', future, `sjt_${text}`]) {
    const parse = (): JoinToken => parseJoinToken(wrong)
    expect(parse).toThrow(/not a join token.*stagely agent token create/)
    expect(parse).not.toThrow(/c2Vj/)
  }
})
