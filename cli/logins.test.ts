import { describe, expect, it } from 'vitest'
import { decodeLogins, loginFor, loginNamed, nameFor, type Logins } from './logins.ts'

const login = (server: string, token = 't'): { server: string; token: string } => ({
  server,
  token,
})
const logins: Logins = {
  current: 'prod',
  contexts: {
    other: login('https://prod.example:8443', 'second'),
    prod: login('https://prod.example:8443', 'first'),
    'staging.example': login('https://staging.example:8443'),
  },
}

describe('the stored logins', () => {
  it('are read back as they were written', () => {
    expect(decodeLogins(JSON.stringify(logins))).toEqual(logins)
  })

  it('keep the one login of a build without contexts, under the name of its host', () => {
    const one = { ...login('https://prod.example:8443'), caFile: '/ca.crt', namespace: 'team-a' }
    const contexts = { 'prod.example': one }
    expect(decodeLogins(JSON.stringify(one))).toEqual({ current: 'prod.example', contexts })
  })

  it.each([
    'nonsense',
    '[]',
    '{}',
    '{"contexts": {"a": {"server": "https://a"}}}',
    '{"contexts": {"a": {"server": "https://a", "token": 7}}}',
    '{"current": 7, "contexts": {}}',
    '{"server": "no URL", "token": "t"}',
  ])('are none where the file is damaged: %s', (text) => {
    expect(decodeLogins(text)).toBeUndefined()
  })

  it('are found by name; a wrong name is told the right ones', () => {
    expect(loginNamed(logins, 'prod').token).toBe('first')
    expect(() => loginNamed(logins, 'toString')).toThrow(
      'no context has the name "toString": there are other, prod, staging.example',
    )
    expect(() => loginNamed({ contexts: {} }, 'prod')).toThrow('there is none')
  })

  it('are found by their server, the current one first', () => {
    expect(loginFor('https://prod.example:8443', logins)?.token).toBe('first')
    expect(loginFor('https://prod.example:8443', { contexts: logins.contexts })?.token).toBe(
      'second',
    )
    expect(loginFor('https://elsewhere.example', logins)).toBeUndefined()
  })
})

describe('the name of a new login', () => {
  it.each([
    ['https://prod.example:8443', 'prod', 'the context that has this server'],
    ['https://new.example:8443', 'new.example', 'the host'],
    [
      'https://staging.example:9443',
      'staging.example:9443',
      'host and port, where the host is taken',
    ],
    ['https://[::1]:8443', '::1', 'an address without its brackets'],
  ])('for %s is %s: %s', (server, name) => {
    expect(nameFor(server, logins)).toBe(name)
  })
})
