import { describe, expect, it } from 'vitest'
import { askAgain, provedAt, rolesOfGroups, withUserInfo } from './provider.ts'

it('takes whether an address is verified from whoever names the address', () => {
  const token = { sub: 'mal', email_verified: true, auth_time: 1 }
  const userInfo = { sub: 'mal', email: 'ann@example.com', email_verified: false, groups: ['dev'] }
  expect(withUserInfo(token, userInfo)).toEqual({
    sub: 'mal',
    auth_time: 1,
    groups: ['dev'],
    email: 'ann@example.com',
    email_verified: false,
  })
  expect(withUserInfo(token, { sub: 'mal', email: 'ann@example.com' })).toMatchObject({
    email_verified: undefined,
  })
})

describe('groups', () => {
  const developer = { team: 'crew', role: 'developer' } as const
  const rules = [
    { group: 'shop', ...developer, narrowing: { projects: ['shop'] } },
    { group: 'bank', ...developer, narrowing: { projects: ['bank'] } },
    { group: 'live', ...developer, narrowing: { projects: ['bank'], environments: ['live'] } },
    { group: 'all', ...developer },
    { group: 'lead', team: 'crew', role: 'maintainer', narrowing: { projects: ['bank'] } },
  ] as const
  it.each([
    [['shop'], 'developer', { projects: ['shop'] }],
    [['shop', 'bank'], 'developer', { projects: ['shop', 'bank'] }],
    // Both lists differ: joined, they would open more than both do.
    [['shop', 'live'], 'developer', { projects: ['shop'] }],
    [['shop', 'all'], 'developer', undefined],
    [['all', 'lead'], 'maintainer', { projects: ['bank'] }],
  ])('%j give the role %s at %j', (groups, role, narrowing) => {
    expect(rolesOfGroups(rules, groups).get('crew')).toEqual(
      narrowing === undefined ? { role } : { role, narrowing },
    )
  })
})

describe('a login that is to ask the person', () => {
  const google = 'https://accounts.google.com'
  it.each([
    ['https://id.example.com', undefined, { prompt: 'login', max_age: '600' }],
    ['https://id.example.com', ['none', 'login'], { prompt: 'login', max_age: '600' }],
    [google, undefined, { prompt: 'select_account', max_age: '600' }],
    [google, ['none', 'login'], { prompt: 'login', max_age: '600' }],
    [
      'https://id.example.com',
      ['consent', 'select_account'],
      { prompt: 'select_account', max_age: '600' },
    ],
    ['https://id.example.com', ['none'], { max_age: '0' }],
  ])('at %s, which takes %j, has %j', (issuer, supported, asked) => {
    expect(askAgain(issuer, supported)).toEqual(asked)
  })
})

describe('a proof of who the person is', () => {
  const round = { countsRoundTrip: true, isFresh: true }
  it.each([
    ['is told by the provider', { auth_time: 5, iat: 9 }, round, 5_000],
    ['is told by the provider', { auth_time: 5, iat: 9 }, { countsRoundTrip: false }, 5_000],
    ['is the answer, where that counts', { iat: 9 }, round, 9_000],
    [
      'is no answer of a provider that asked nobody',
      { iat: 9 },
      { countsRoundTrip: true },
      undefined,
    ],
    [
      'is no answer, where that does not count',
      { iat: 9 },
      { ...round, countsRoundTrip: false },
      undefined,
    ],
    ['is no text', { auth_time: '5', iat: 9 }, round, undefined],
  ])('%s: %j with %j', (_, claims, asking, at) => {
    expect(provedAt(claims, asking)).toBe(at)
  })
})
