// The newest stream of each agent: the replica that holds it, and the start of the agent (its boot) that opened it. So a
// replica does not declare an agent gone that has moved to another replica, and every replica can check the boot of a
// report.
import { randomUUID } from 'node:crypto'
import { batched } from '../../kernel/async/batched.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Store } from '../store.ts'
import type { Actor } from '../core/actor.ts'
import type { Transaction } from '../transaction.ts'

interface LostAgent {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** When the agent was last seen (ms): when it connected, or when its replica was last seen. */
  readonly seenAt: number
}

interface OpenStream {
  /** Uid of the agent. */
  readonly uid: string
  readonly connection: string
  readonly boot: string
}

interface EndedStream {
  readonly uid: string
  /** Absent: the stream of a lost replica. */
  readonly connection?: string
}

/** Streams within a write, while all other writers wait. */
export interface Streams {
  /**
   * Notes that these streams are open here, and that those have ended; an agent is in one list only. Returns the uids of
   * the agents of which that is true: they have no newer stream. Where the newest stream has ended, one that is open
   * takes its place: its agent may have connected twice.
   */
  note(open: readonly OpenStream[], ended: readonly EndedStream[]): Promise<ReadonlySet<string>>
  /** By uid, the boot of the agent that opened its newest stream. An agent without a stream is missing. */
  bootsOf(agentUids: readonly string[]): Promise<ReadonlyMap<string, string>>
}

interface LostRow extends Record<string, unknown>, Omit<LostAgent, 'seenAt'> {
  readonly last_seen: string | null
  readonly replica: string | null
}

/** `$1` is this replica, which is alive. */
const lostSql =
  'c.replica IS NULL OR c.replica <> $1 AND c.replica NOT IN (SELECT id FROM replicas)'

interface OpenedStream {
  readonly agentUid: string
  readonly boot: string
}

/** Agents that come back together have their rows written by one statement. */
const mostOpenedAtOnce = 256

export class AgentConnections {
  readonly #sql: Sql
  readonly #store: Store
  /** Id of this replica. */
  readonly replica: string
  readonly #insert: (stream: OpenedStream) => Promise<string>
  /** When replicas were last heard of (ms) whose heartbeats have ended: the loss of their agents may be written later. */
  readonly #heard = new Map<string, number>()

  constructor(sql: Sql, store: Store, replica: string) {
    this.#sql = sql
    this.#store = store
    this.replica = replica
    this.#insert = batched(mostOpenedAtOnce, async (opened: readonly OpenedStream[]) => {
      const rows = opened.map((stream) => ({ ...stream, connection: randomUUID() }))
      // Of several streams of one agent, the last is the newest.
      const newest = [...new Map(rows.map((row) => [row.agentUid, row])).values()]
      // Rows are locked in one order everywhere: otherwise two writers could wait for each other for ever.
      newest.sort((a, b) => (a.agentUid < b.agentUid ? -1 : 1))
      await sql.query(
        `INSERT INTO agent_connections (agent_uid, connection, replica, boot)
         SELECT r.agent_uid, r.connection, $1::uuid, r.boot
         FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS r (agent_uid, connection, boot)
         ON CONFLICT (agent_uid) DO UPDATE
         SET connection = excluded.connection, replica = excluded.replica, boot = excluded.boot`,
        [
          replica,
          newest.map((row) => row.agentUid),
          newest.map((row) => row.connection),
          newest.map((row) => row.boot),
        ],
      )
      return rows.map((row) => row.connection)
    })
  }

  /** Notes a new stream as the agent's newest. To be called before the agent gets an answer. */
  open(agentUid: string, boot: string): Promise<string> {
    return this.#insert({ agentUid, boot })
  }

  /** Store.write() with streams; `store` is the leader's, for writes of a leader. */
  write<T>(
    actor: Actor,
    fn: (tx: Transaction, streams: Streams) => Promise<T>,
    store: Store = this.#store,
  ): Promise<T> {
    return store.writeWithSession(actor, (session, tx) =>
      fn(
        tx,
        this.#streams(() => session.tx),
      ),
    )
  }

  /** Agents that are Ready although no replica that was seen within `graceMs` holds a stream of them. */
  async lost(graceMs: number): Promise<LostAgent[]> {
    const ended = await this.#sql.query<{ id: string; seen_at: Date }>(
      `DELETE FROM replicas WHERE id <> $1
       AND seen_at < clock_timestamp() - $2::int * interval '1 millisecond' RETURNING id, seen_at`,
      [this.replica, graceMs],
    )
    for (const { id, seen_at } of ended) this.#heard.set(id, seen_at.getTime())
    const rows = await this.#sql.query<LostRow>(
      `SELECT o.uid, o.namespace, o.name, o.body #>> '{status,lastSeen}' AS last_seen, c.replica
       FROM objects o LEFT JOIN agent_connections c ON c.agent_uid = o.uid
       WHERE o.kind = 'Agent'
         AND (${lostSql})
         AND EXISTS (SELECT 1 FROM json_array_elements(o.body #> '{status,conditions}') AS x
                     WHERE x ->> 'type' = 'Ready' AND x ->> 'status' = 'True')`,
      [this.replica],
    )
    return rows.map(({ last_seen, replica, ...agent }) => ({
      ...agent,
      seenAt: Math.max(Date.parse(last_seen ?? '') || 0, this.#heard.get(replica ?? '') ?? 0),
    }))
  }

  /** Streams.bootsOf() outside of a write. */
  bootsOf(agentUids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return bootsIn(this.#sql, agentUids)
  }

  /** How many agents are registered. */
  async agentCount(): Promise<number> {
    const [row] = await this.#sql.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM objects WHERE kind = 'Agent'",
    )
    return row?.count ?? 0
  }

  #streams(database: () => Queryable): Streams {
    return {
      note: async (open, ended) => {
        if (open.length + ended.length === 0) return new Set()
        const all = [...open, ...ended]
        const rows = await database().query<{ agent_uid: string }>(noteSql, [
          this.replica,
          all.map(({ uid }) => uid),
          all.map(({ connection }) => connection ?? null),
          open.map(({ boot }) => boot),
        ])
        return new Set(rows.map((row) => row.agent_uid))
      },
      bootsOf: (agentUids) => bootsIn(database(), agentUids),
    }
  }
}

/** Streams that are open come first, and they alone have a boot. In the order of the agents: see #insert. */
const noteSql = `
  WITH said AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS s (agent_uid, connection, boot)
  ), newest AS MATERIALIZED (
    SELECT c.agent_uid, coalesce(s.connection, c.connection) AS connection, s.boot
    FROM agent_connections c JOIN said s ON s.agent_uid = c.agent_uid
    WHERE c.connection = s.connection
      OR CASE WHEN s.boot IS NULL THEN ${lostSql} ELSE c.replica IS NULL END
    ORDER BY c.agent_uid FOR UPDATE OF c
  ), noted AS (
    UPDATE agent_connections c
    SET connection = n.connection, boot = coalesce(n.boot, c.boot),
      replica = CASE WHEN n.boot IS NOT NULL THEN $1::uuid END
    FROM newest n WHERE c.agent_uid = n.agent_uid RETURNING c.agent_uid
  )
  SELECT agent_uid FROM noted
  UNION ALL
  SELECT agent_uid FROM said s
  WHERE boot IS NULL AND NOT EXISTS (SELECT FROM agent_connections c WHERE c.agent_uid = s.agent_uid)`

const bootsIn = async (
  q: Queryable,
  agentUids: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const rows = await q.query<{ agent_uid: string; boot: string }>(
    'SELECT agent_uid, boot FROM agent_connections WHERE agent_uid = ANY ($1::uuid[])',
    [agentUids],
  )
  return new Map(rows.map((row) => [row.agent_uid, row.boot]))
}
