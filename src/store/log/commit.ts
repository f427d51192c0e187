// The statements of a commit. See migrations/0054-row-by-row.sql.
import { isReason } from '../../kernel/errors.ts'
import type { Queryable } from '../sql.ts'
import type { Payload } from './changes.ts'

/** Where the database stands. */
export interface Standing {
  readonly rv: number
  /** Of the leader of now. */
  readonly term: number
}

export interface Commit {
  readonly id: string
  /** ms */
  readonly at: number
  /** Version that the writes were admitted on. */
  readonly expected: number
  readonly next: number
  /** Only while this is the leader's term; undefined: whoever leads. */
  readonly leader: number | undefined
  /** What NOTIFY says of it; undefined: there is nobody to tell. */
  readonly origin: string | undefined
  readonly payload: Payload
}

const commitSql = `SELECT done, rv, term
  FROM commit_changes($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9::text[])`

/** `done` false: another commit came between, or another leads; nothing was stored. */
export const commit = async (
  q: Queryable,
  { id, at, expected, next, leader, origin, payload }: Commit,
): Promise<Standing & { done: boolean }> => {
  const { objects, more, lists } = payload
  const [answer] = await q.query<Standing & { done: boolean }>(commitSql, [
    ...[id, at, expected, next, leader ?? null, origin ?? null],
    ...[objects, more, lists],
  ])
  if (answer === undefined) throw new Error('the counter row is missing')
  return answer
}

const standingSql = 'SELECT rv, term FROM counters'

/** Not while another replica reads without asking: it may not have got to know of what is there. */
const readSql = `SELECT rv, term, pg_sleep(CASE WHEN alone <> $1 AND alone_until > clock_timestamp()
  THEN extract(epoch FROM alone_until - clock_timestamp()) ELSE 0 END) FROM counters`

const standingOf = async (q: Queryable, text: string, params: string[] = []): Promise<Standing> => {
  const [standing] = await q.query<Standing>(text, params)
  if (standing === undefined) throw new Error('the counter row is missing')
  return standing
}

/** Asks once more where a connection broke: the pool may have kept one that is long dead. */
export const askTwice = <T>(ask: () => Promise<T>): Promise<T> =>
  ask().catch((error: unknown) => {
    if (!isReason(error, 'ServiceUnavailable')) throw error
    return ask()
  })

/** As `replica` may answer reads by it. */
export const readStanding = (q: Queryable, replica: string): Promise<Standing> =>
  askTwice(() => standingOf(q, readSql, [replica]))

/** Holds the counter row until the transaction ends: nobody commits meanwhile. */
export const lockCounters = (tx: Queryable): Promise<Standing> =>
  standingOf(tx, `${standingSql} FOR UPDATE`)

/**
 * Whether a commit whose answer was lost is there. Waits for the one that may still be under way. One that is not
 * there never will be, also where the network brings it later: its id is taken.
 */
export const wasCommitted = (
  sql: Transacting,
  { id, at }: Pick<Commit, 'id' | 'at'>,
): Promise<boolean> =>
  sql.transaction(async (tx) => {
    await lockCounters(tx)
    const taken = await tx.query(
      'INSERT INTO commits (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id',
      [id, at],
    )
    return taken.length === 0
  })

interface Transacting {
  transaction<T>(fn: (tx: Queryable) => Promise<T>): Promise<T>
}
