// Leak tests: what agents have counted in the logs of stagelets. Names of keys and numbers.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Sql } from '../drivers/sql.ts'

/** Of each stagelet. */
const mostKept = 20
export const keepLeakTestsMs = 30 * 86_400_000

/** What one service has printed; as in src/protocol/leak-test.ts. */
interface LeakCounts {
  readonly name: string
  readonly lines: number
  readonly hits: readonly { readonly key: string; readonly count: number }[]
  readonly unmaskable: readonly string[]
  readonly fault?: string | undefined
}

/** `asked`: the agent has the order; `running`: it has answered; the others are ends. */
type LeakTestState = 'asked' | 'running' | 'done' | 'agent_away' | 'agent_too_old' | 'failed'

export interface StoredLeakTest {
  readonly id: string
  readonly stageletUid: string
  /** `namespace/name` of the agent. */
  readonly agent: string
  /** Lines of each container that were asked for. */
  readonly tail: number
  readonly startedAt: number
  readonly heardAt: number
  readonly finishedAt: number | undefined
  readonly state: LeakTestState
  readonly message: string | undefined
  /** Lines that were read so far. */
  readonly lines: number
  readonly complete: boolean | undefined
  readonly services: readonly LeakCounts[]
}

export interface LeakTestEnd {
  readonly state: LeakTestState
  readonly message?: string | undefined
  readonly lines?: number
  readonly complete?: boolean
  readonly services?: readonly LeakCounts[]
}

interface Row extends RowOf<Omit<StoredLeakTest, 'services'>> {
  readonly services: string | null
}

const columns = `id, stagelet_uid AS "stageletUid", agent, tail, started_at AS "startedAt", heard_at AS "heardAt",
  finished_at AS "finishedAt", state, message, lines, complete, services`

const toLeakTest = ({ services, ...row }: Row): StoredLeakTest => ({
  ...fromRow<Omit<StoredLeakTest, 'services'>>(row),
  services: services === null ? [] : (JSON.parse(services) as LeakCounts[]),
})

export class LeakTestStore {
  readonly #sql: Sql
  readonly #clock: Clock

  constructor(sql: Sql, clock: Clock) {
    this.#sql = sql
    this.#clock = clock
  }

  /** A new test, unless one of the stagelet is open that was heard of since `aliveSince` (ms). */
  async begin(
    wanted: Pick<StoredLeakTest, 'stageletUid' | 'agent' | 'tail'>,
    aliveSince: number,
  ): Promise<StoredLeakTest | undefined> {
    const { stageletUid, agent, tail } = wanted
    const now = this.#clock.now()
    const [row] = await this.#sql.query<Row>(
      `INSERT INTO leak_tests (id, stagelet_uid, agent, tail, started_at, heard_at, state)
       SELECT $1::uuid, $2::uuid, $3::text, $4::int, $5::bigint, $5::bigint, 'asked'
       WHERE NOT EXISTS (SELECT 1 FROM leak_tests
         WHERE stagelet_uid = $2::uuid AND finished_at IS NULL AND heard_at > $6::bigint)
       RETURNING ${columns}`,
      [randomUUID(), stageletUid, agent, tail, now, aliveSince],
    )
    if (row === undefined) return undefined
    await this.#sql.query(
      `DELETE FROM leak_tests WHERE stagelet_uid = $1::uuid AND id NOT IN (SELECT id FROM leak_tests
         WHERE stagelet_uid = $1::uuid ORDER BY started_at DESC, id LIMIT ${mostKept.toString()})`,
      [stageletUid],
    )
    return toLeakTest(row)
  }

  /** False where the test is not this agent's, or has ended. */
  async heard(id: string, agent: string, lines: number): Promise<boolean> {
    const rows = await this.#sql.query(
      `UPDATE leak_tests SET state = 'running', heard_at = $3, lines = greatest(lines, $4::bigint)
       WHERE id = $1::uuid AND agent = $2 AND finished_at IS NULL RETURNING id`,
      [id, agent, this.#clock.now(), lines],
    )
    return rows.length > 0
  }

  /** False where the test is not this agent's, or has ended. */
  async end(id: string, agent: string, end: LeakTestEnd): Promise<boolean> {
    const rows = await this.#sql.query(
      `UPDATE leak_tests SET state = $3, message = $4, lines = $5, complete = $6, services = $7::json,
         heard_at = $8, finished_at = $8
       WHERE id = $1::uuid AND agent = $2 AND finished_at IS NULL RETURNING id`,
      [
        ...[id, agent, end.state, end.message ?? null, end.lines ?? 0, end.complete ?? null],
        ...[JSON.stringify(end.services ?? []), this.#clock.now()],
      ],
    )
    return rows.length > 0
  }

  async get(stageletUid: string, id: string): Promise<StoredLeakTest | undefined> {
    const [row] = await this.#sql.query<Row>(
      `SELECT ${columns} FROM leak_tests WHERE stagelet_uid = $1::uuid AND id::text = $2`,
      [stageletUid, id],
    )
    return row && toLeakTest(row)
  }

  /** The newest first. */
  async list(stageletUid: string): Promise<StoredLeakTest[]> {
    const rows = await this.#sql.query<Row>(
      `SELECT ${columns} FROM leak_tests WHERE stagelet_uid = $1::uuid ORDER BY started_at DESC, id`,
      [stageletUid],
    )
    return rows.map(toLeakTest)
  }
}
