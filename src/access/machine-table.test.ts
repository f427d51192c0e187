import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { allows, type Principal } from './principal.ts'
import { teamRoles, type TeamRole } from './team-roles.ts'
import type { Resource, Verb } from './roles.ts'

/** What each row of the table takes; undefined: no right of anybody gives it. */
const rows: readonly [name: RegExp, needs: readonly [Verb, Resource] | undefined][] = [
  [/^join an agent/, ['create', 'agents/join']],
  [/^choose a folder/, ['create', 'stagelets']],
  [/^fill variables of containers/, ['create', 'stagelysecrets']],
  [/`compose\.variables`/, ['create', 'stagelets']],
  [/`compose\.fileTargets`/, ['create', 'stagelets']],
  [/`compose\.writableFolders`/, ['create', 'stagelets']],
  [/`compose\.adopt`/, ['create', 'stagelets']],
  [/`deleteVolumes`/, ['delete', 'stagelets']],
  [/^deploy/, ['create', 'stagelets/deploy']],
  [/^pause/, ['patch', 'stagelets/pause']],
  [/^read logs/, ['get', 'stagelets/logs']],
  [/^write a Compose file/, undefined],
]

const namespace = 'shop'

const login = (role: TeamRole | undefined, more: Partial<Principal> = {}): Principal => ({
  id: 'id',
  name: 'name',
  kind: 'user',
  admin: false,
  tokenId: 'token',
  roles: new Map(role === undefined ? [] : [[namespace, role]]),
  ...more,
})

const logins: Readonly<Record<string, Principal>> = {
  admin: login(undefined, { admin: true }),
  ...Object.fromEntries(teamRoles.map((role) => [role, login(role)])),
  'read-only token': login('owner', { limits: { readOnly: true, ofAdmin: false } }),
}

const may = (principal: Principal, needs: readonly [Verb, Resource] | undefined): string =>
  needs !== undefined && allows(principal, { verb: needs[0], resource: needs[1], namespace })
    ? 'yes'
    : 'no'

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())

it('the table of what a login can do on a machine says what its rights allow', () => {
  const page = readFileSync(new URL('../../docs/security-model.md', import.meta.url), 'utf8')
  const lines = page.split('\n')
  const from = lines.findIndex((line) => line.startsWith('| on a machine |'))
  const length = lines.slice(from).findIndex((line) => !line.startsWith('|'))
  const [, ...columns] = cellsOf(lines[from] ?? '')
  expect(columns).toEqual(Object.keys(logins))
  const body = lines.slice(from + 2, from + length).map(cellsOf)
  expect(body).toHaveLength(rows.length)
  for (const [i, [name = '', ...said]] of body.entries()) {
    const [pattern, needs] = rows[i]!
    expect(name).toMatch(pattern)
    expect([name, ...said]).toEqual([name, ...columns.map((column) => may(logins[column]!, needs))])
  }
})

it('a machine’s token may do there what its role may, in its team, less its scopes', () => {
  for (const [, needs] of rows) {
    for (const role of teamRoles) {
      const machine = login(role, { kind: 'machine' })
      expect(may(machine, needs)).toBe(may(login(role), needs))
      const limits = { readOnly: false, ofAdmin: false }
      const limited = { ...machine, limits: { ...limits, role: 'viewer' as const } }
      expect(may(limited, needs)).toBe('no')
      const elsewhere = { ...machine, limits: { ...limits, namespaces: ['other'] } }
      expect(may(elsewhere, needs)).toBe('no')
    }
  }
})
