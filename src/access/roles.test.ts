import { describe, expect, it } from 'vitest'
import {
  allows,
  allowsAdmin,
  mayGrant,
  teamsWhere,
  type Principal,
  type TokenLimits,
} from './principal.ts'
import { teamRoles, type TeamRole } from './team-roles.ts'

const person = (
  roles: Record<string, TeamRole>,
  limits?: TokenLimits,
  admin = false,
): Principal => ({
  id: 'u',
  name: 'ann',
  kind: 'user',
  admin,
  roles: new Map(Object.entries(roles)),
  tokenId: 't',
  ...(limits === undefined ? {} : { limits }),
})

describe('scopes of a token', () => {
  const get = { verb: 'get', resource: 'stagelysecrets' } as const
  const patch = { verb: 'patch', resource: 'stagelysecrets' } as const

  it('only take away from what the owner may', () => {
    const readOnly = person({ a: 'owner' }, { readOnly: true, ofAdmin: false })
    expect(allows(readOnly, { ...get, namespace: 'a' })).toBe(true)
    expect(allows(readOnly, { ...patch, namespace: 'a' })).toBe(false)
    const asOwner = person({ a: 'viewer' }, { readOnly: false, role: 'owner', ofAdmin: false })
    expect(allows(asOwner, { ...patch, namespace: 'a' })).toBe(false)
    const elsewhere = person({ a: 'owner' }, { readOnly: false, namespaces: ['b'], ofAdmin: false })
    expect(allows(elsewhere, { ...get, namespace: 'a' })).toBe(false)
    expect(allows(elsewhere, { ...get, namespace: 'b' })).toBe(false)
    expect(teamsWhere(elsewhere, 'list', 'projects')).toEqual([])
  })

  it('leave an admin what they name, and no more', () => {
    const readOnly = person({}, { readOnly: true, ofAdmin: true })
    expect(allows(readOnly, { ...get, namespace: 'any' })).toBe(true)
    expect(allows(readOnly, { ...patch, namespace: 'any' })).toBe(false)
    expect([allowsAdmin(readOnly, 'list'), allowsAdmin(readOnly, 'create')]).toEqual([true, false])
    expect(teamsWhere(readOnly, 'list', 'projects')).toBeUndefined()
    const oneTeam = person({}, { readOnly: false, namespaces: ['a'], ofAdmin: true })
    expect(allowsAdmin(oneTeam, 'list')).toBe(false)
    expect(teamsWhere(oneTeam, 'list', 'projects')).toEqual(['a'])
  })
})

describe('mayGrant', () => {
  it('gives no more than one has, but to those who manage members', () => {
    const granted = (role: TeamRole): TeamRole[] =>
      teamRoles.filter((wanted) => mayGrant(person({ a: role }), 'a', wanted))
    expect(granted('owner')).toEqual(teamRoles)
    expect(granted('maintainer')).toEqual([
      'maintainer',
      'developer',
      'deployer',
      'operator',
      'viewer',
    ])
    expect(granted('viewer')).toEqual(['viewer'])
    expect(mayGrant(person({ a: 'owner' }), 'b', 'viewer')).toBe(false)
  })
})
