// What the database tells of the writes of many replicas, and what is wrong with it.
import pg from 'pg'
import type { Count } from './writer.ts'

export interface History {
  /** Of all writes that are stored. */
  readonly ids: ReadonlySet<string>
  readonly wrong: readonly string[]
}

interface Change {
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly body: { spec?: { description?: string }; status?: { version?: number } }
}

const changesSql = `SELECT kind, name, uid, body FROM changes
  WHERE namespace = $1 AND kind IN ('Project', 'StagelySecret') AND type = 'MODIFIED' ORDER BY rv`

/** Numbers of one thing that do not follow one on the other. */
const gaps = (what: string, numbers: readonly number[], first: number): string[] => {
  const found = numbers.findIndex((n, i) => n !== first + i)
  return found < 0 ? [] : [`${what} has ${numbers[found]} in place of ${first + found}`]
}

const grouped = (changes: readonly Change[]): [what: string, of: Change[]][] => {
  const names = new Set(changes.map(({ kind, name }) => `${kind} ${name}`))
  return [...names].map((what) => [
    what,
    changes.filter(({ kind, name }) => `${kind} ${name}` === what),
  ])
}

const countsOf = (changes: readonly Change[]): Count[] =>
  changes.flatMap(({ body }) =>
    body.spec?.description === undefined ? [] : [JSON.parse(body.spec.description) as Count],
  )

/** Each counter is moved by one with each write, and by none twice; each secret has every version. */
export const readHistory = async (databaseUrl: string, namespace: string): Promise<History> => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows: changes } = await client.query<Change>(changesSql, [namespace])
    const counts = await client.query<{ projects: number; versions: number }>(
      `SELECT (SELECT count(*)::int FROM audit WHERE namespace = $1 AND kind = 'Project' AND action = 'update') AS projects,
        (SELECT count(*)::int FROM secret_versions WHERE version > 1) AS versions`,
      [namespace],
    )
    const { projects: audited, versions } = counts.rows[0]!
    const counters = changes.filter(({ kind }) => kind === 'Project')
    const secrets = changes.filter(({ kind }) => kind === 'StagelySecret')
    const ids = countsOf(counters).map(({ id }) => id)
    const withSecret = ids.filter((id) => id.endsWith('s')).length
    const sums = {
      'writes that are stored twice': ids.length - new Set(ids).size,
      'writes too many in the audit log': audited - ids.length,
      'changes of secrets without their write': secrets.length - withSecret,
      'versions too many': versions - withSecret,
    }
    return {
      ids: new Set(ids),
      wrong: [
        ...grouped(counters).flatMap(
          ([what, of]) =>
          gaps(what, countsOf(of).map(({ n }) => n), 1), // prettier-ignore
        ),
        ...grouped(secrets).flatMap(
          ([what, of]) =>
          gaps(what, of.map(({ body }) => body.status?.version ?? 0), 2), // prettier-ignore
        ),
        ...Object.entries(sums).flatMap(([what, n]) => (n === 0 ? [] : [`${n} ${what}`])),
      ],
    }
  } finally {
    await client.end()
  }
}
