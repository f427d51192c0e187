import { afterAll, expect, it } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { Authenticator } from './auth.ts'

const stopping = new AbortController()
const authenticator = new Authenticator({
  tokens: {
    verify: () => Promise.resolve(undefined),
    refusalOf: () => Promise.resolve(undefined),
    onChange: () => () => undefined,
  },
  clock: realClock,
  log: silentLogger,
  stopping: stopping.signal,
})
afterAll(() => {
  stopping.abort()
})

const logins = {
  laptop: { id: 'mia', tokenId: 'laptop', kind: 'user' },
  phone: { id: 'mia', tokenId: 'phone', kind: 'user' },
  robot: { id: 'robot', tokenId: 'robot', kind: 'machine' },
} as const

const open = (login: keyof typeof logins): (() => void) => {
  const principal: Principal = { ...logins[login], name: login, admin: false, roles: new Map() }
  const stream = new AbortController()
  authenticator.follow(login, principal, stream.signal)
  return () => {
    stream.abort()
  }
}

it('counts the streams of a person over all tokens, and those of a machine by themselves', () => {
  const ends = Array.from({ length: 1_000 }, () => [open('laptop'), open('phone')]).flat()
  for (const token of ['laptop', 'phone'] as const)
    expect(() => open(token)).toThrow('you have 2000 watches and streams open')
  open('robot')
  ends[0]!()
  open('phone')
  expect(() => open('laptop')).toThrow('you have 2000 watches and streams open')
})
