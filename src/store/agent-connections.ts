// Which replica holds the newest stream of each agent, and which of its starts that was. So an agent
// that moved to another replica is not declared gone by the one that it left, and a report finds its
// agent's boot wherever it arrives.
import { randomUUID } from 'node:crypto'
import { gathered } from '../kernel/gathered.ts'
import type { Queryable, Sql } from './sql.ts'
import type { SqlStore } from './sql-store.ts'
import type { Actor, Transaction } from './store.ts'

export interface LostAgent {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Ms; when something was last known of the agent: its own coming, or the life of the replica that held it. */
  readonly seenAt: number
}

interface Stream {
  /** Of the agent. */
  readonly uid: string
  readonly connection: string
  readonly boot: string
}

/** What a write may say and ask of streams; all other writers wait meanwhile. */
export interface Streams {
  /**
   * Says again that these streams are here; returns the agents, by uid, that have no newer one. Where the newest
   * has ended, this one takes its place: it may have been opened late, for an agent that had given up.
   */
  here(streams: readonly Stream[]): Promise<ReadonlySet<string>>
  /**
   * Says that it has ended; without `connection`, that of a lost replica. False when the agent has
   * another stream: then it is not gone.
   */
  gone(agentUid: string, connection?: string): Promise<boolean>
  /** Start of each agent that opened its newest stream; none for those before their first. */
  bootsOf(agentUids: readonly string[]): Promise<ReadonlyMap<string, string>>
}

interface LostRow extends Record<string, unknown>, Omit<LostAgent, 'seenAt'> {
  readonly seen: string | null
  readonly replica: string | null
}

/** `$1` is this replica, which needs no proof that it is alive. */
const lostSql =
  'c.replica IS NULL OR c.replica <> $1 AND c.replica NOT IN (SELECT id FROM replicas)'

interface Opened {
  readonly agentUid: string
  readonly boot: string
}

/** When all come back, their rows are written together. */
const mostOpenedAtOnce = 256

export class AgentConnections {
  readonly #sql: Sql
  readonly #store: SqlStore
  /** This one. */
  readonly replica: string
  readonly #insert: (one: Opened) => Promise<string>

  constructor(sql: Sql, store: SqlStore, replica: string) {
    this.#sql = sql
    this.#store = store
    this.replica = replica
    this.#insert = gathered(mostOpenedAtOnce, async (opened: readonly Opened[]) => {
      const rows = opened.map((one) => ({ ...one, connection: randomUUID() }))
      // Of one agent's several, the last is the newest.
      const newest = [...new Map(rows.map((row) => [row.agentUid, row])).values()]
      // In one order everywhere, or two who write several of them wait for each other for ever.
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

  /** A new stream, the newest from now on. To be called before the agent hears of it. */
  open(agentUid: string, boot: string): Promise<string> {
    return this.#insert({ agentUid, boot })
  }

  /** As Store.write; `store` is a leader's. */
  write<T>(
    actor: Actor,
    fn: (tx: Transaction, streams: Streams) => Promise<T>,
    store: SqlStore = this.#store,
  ): Promise<T> {
    return store.writeWithSession(actor, (session, tx) =>
      fn(
        tx,
        this.#streams(() => session.tx),
      ),
    )
  }

  /** Agents that count as ready though no replica that was seen in the last `graceMs` holds a stream of theirs. */
  async lost(graceMs: number): Promise<LostAgent[]> {
    const ended = await this.#sql.query<{ id: string; seen_at: Date }>(
      `DELETE FROM replicas WHERE id <> $1
       AND seen_at < clock_timestamp() - $2::int * interval '1 millisecond' RETURNING id, seen_at`,
      [this.replica, graceMs],
    )
    const heard = new Map(ended.map(({ id, seen_at }) => [id, seen_at.getTime()]))
    const rows = await this.#sql.query<LostRow>(
      `SELECT o.uid, o.namespace, o.name, o.body #>> '{status,lastSeen}' AS seen, c.replica
       FROM objects o LEFT JOIN agent_connections c ON c.agent_uid = o.uid
       WHERE o.kind = 'Agent'
         AND (${lostSql})
         AND EXISTS (SELECT 1 FROM json_array_elements(o.body #> '{status,conditions}') AS x
                     WHERE x ->> 'type' = 'Ready' AND x ->> 'status' = 'True')`,
      [this.replica],
    )
    return rows.map(({ seen, replica, ...agent }) => ({
      ...agent,
      seenAt: Math.max(Date.parse(seen ?? '') || 0, heard.get(replica ?? '') ?? 0),
    }))
  }

  /** As Streams.bootsOf, while others write. */
  bootsOf(agentUids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return bootsIn(this.#sql, agentUids)
  }

  /** All that are registered. */
  async agentCount(): Promise<number> {
    const [row] = await this.#sql.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM objects WHERE kind = 'Agent'",
    )
    return row?.count ?? 0
  }

  #streams(of: () => Queryable): Streams {
    return {
      here: async (streams) => {
        if (streams.length === 0) return new Set()
        // In the order of the agents: see #insert.
        const rows = await of().query<{ agent_uid: string }>(
          `WITH here AS MATERIALIZED (
             SELECT c.agent_uid, s.connection, s.boot FROM agent_connections c
             JOIN unnest($2::uuid[], $3::uuid[], $4::text[]) AS s (agent_uid, connection, boot)
               ON s.agent_uid = c.agent_uid
             WHERE c.connection = s.connection OR c.replica IS NULL
             ORDER BY c.agent_uid FOR UPDATE OF c)
           UPDATE agent_connections c SET connection = here.connection, replica = $1, boot = here.boot
           FROM here WHERE c.agent_uid = here.agent_uid RETURNING c.agent_uid`,
          [
            this.replica,
            streams.map(({ uid }) => uid),
            streams.map(({ connection }) => connection),
            streams.map(({ boot }) => boot),
          ],
        )
        return new Set(rows.map((row) => row.agent_uid))
      },
      gone: async (agentUid, connection) => {
        const [row] = await of().query<{ connection: string; lost: boolean }>(
          `SELECT connection, ${lostSql} AS lost FROM agent_connections c WHERE agent_uid = $2 FOR UPDATE`,
          [this.replica, agentUid],
        )
        if (row !== undefined && row.connection !== connection && !row.lost) return false
        await of().query('UPDATE agent_connections SET replica = NULL WHERE agent_uid = $1', [
          agentUid,
        ])
        return true
      },
      bootsOf: (agentUids) => bootsIn(of(), agentUids),
    }
  }
}

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
