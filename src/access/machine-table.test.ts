import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { rolesWith, type Resource, type Verb } from './roles.ts'

/** What each row of the table takes; undefined: no right of a role gives it. */
const rows: readonly [name: RegExp, needs: readonly [Verb, Resource] | undefined][] = [
  [/^join an agent/, ['create', 'agents/join']],
  [/^choose a folder/, ['create', 'stagelets']],
  [/^fill variables of containers/, ['create', 'stagelysecrets']],
  [/`compose\.variables`/, ['update', 'stagelets']],
  [/`compose\.fileTargets`/, ['update', 'stagelets']],
  [/`deleteVolumes`/, ['delete', 'stagelets']],
  [/^deploy/, ['create', 'stagelets/deploy']],
  [/^read logs/, ['get', 'stagelets/logs']],
  [/^write a Compose file/, undefined],
]

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())

it('the table of what a role can do on a machine says what the rights of the role allow', () => {
  const page = readFileSync(new URL('../../docs/security-model.md', import.meta.url), 'utf8')
  const lines = page.split('\n')
  const from = lines.findIndex((line) => line.startsWith('| on a machine |'))
  const length = lines.slice(from).findIndex((line) => !line.startsWith('|'))
  const [, ...roles] = cellsOf(lines[from] ?? '')
  const body = lines.slice(from + 2, from + length).map(cellsOf)
  expect(body).toHaveLength(rows.length)
  for (const [i, [name = '', ...said]] of body.entries()) {
    const [pattern, needs] = rows[i]!
    expect(name).toMatch(pattern)
    const allowed: readonly string[] = needs === undefined ? [] : rolesWith(...needs)
    expect([name, ...said]).toEqual([
      name,
      ...roles.map((role) => (allowed.includes(role) ? 'yes' : 'no')),
    ])
  }
})
