// Controllers on this database: their heartbeats and addresses.
import type { Sql } from './drivers/sql.ts'

/** Another controller. */
export interface Peer {
  readonly id: string
  readonly url: string
  /** PEM of its TLS certificate; undefined where it speaks plain HTTP. */
  readonly certificate: string | undefined
}

/** A replica without a heartbeat for this time (ms) is not asked. */
const aliveMs = 30_000

interface PeerRow extends Record<string, unknown> {
  id: string
  url: string
  certificate: string | null
}

const columns = 'r.id, r.url, r.certificate'
const alive = `r.url IS NOT NULL AND r.seen_at > clock_timestamp() - interval '${aliveMs} milliseconds'`

const beatSql = `
WITH beat AS (
  INSERT INTO replicas (id, seen_at, url, certificate) VALUES ($1, clock_timestamp(), $2, $3)
  ON CONFLICT (id) DO UPDATE
  SET seen_at = excluded.seen_at, url = excluded.url, certificate = excluded.certificate
)
SELECT ${columns} FROM replicas r WHERE r.id <> $1 AND ${alive}`

const toPeer = ({ id, url, certificate }: PeerRow): Peer => ({
  id,
  url,
  certificate: certificate ?? undefined,
})

export class Replicas {
  /** Id of this process among the controllers on the database. */
  readonly id: string
  /** The other replicas, as of the last heartbeat. */
  others: readonly Peer[] = []
  readonly #sql: Sql
  readonly #beatSql: Sql
  #self: Omit<Peer, 'id'> | undefined

  /** `beatSql` as in createLeaderLease. */
  constructor(sql: Sql, beatSql: Sql, id: string) {
    this.id = id
    this.#sql = sql
    this.#beatSql = beatSql
  }

  /** Sets the address of this replica, from the next heartbeat on. */
  announce(self: Omit<Peer, 'id'>): void {
    this.#self = self
  }

  /** Writes the heartbeat. To be called much more often than the grace time of `AgentConnections.lost`. */
  async beat(): Promise<void> {
    const { url = null, certificate = null } = this.#self ?? {}
    const rows = await this.#beatSql.query<PeerRow>(beatSql, [this.id, url, certificate])
    this.others = rows.map(toPeer)
  }

  /**
   * For a controller without other replicas, at its start. An earlier controller may have left no heartbeat, as those of an
   * old release. Then its last write counts as its heartbeat, also for the agents whose streams it held.
   */
  async noteBefore(): Promise<void> {
    await this.#sql.query(
      `INSERT INTO replicas (id, seen_at)
       SELECT DISTINCT c.replica, a.at FROM agent_connections c
       CROSS JOIN (SELECT at FROM audit ORDER BY seq DESC LIMIT 1) a
       WHERE c.replica IS NOT NULL ON CONFLICT DO NOTHING`,
      [],
    )
  }

  async find(id: string): Promise<Peer | undefined> {
    const [row] = await this.#sql.query<PeerRow>(
      `SELECT ${columns} FROM replicas r WHERE r.id::text = $1 AND ${alive}`,
      [id],
    )
    return row && toPeer(row)
  }

  /** The replica with the stream of an agent; undefined where it is this one, or there is none. */
  async holding(namespace: string, name: string): Promise<Peer | undefined> {
    const [row] = await this.#sql.query<PeerRow>(
      `SELECT ${columns} FROM objects o JOIN agent_connections c ON c.agent_uid = o.uid
       JOIN replicas r ON r.id = c.replica
       WHERE o.kind = 'Agent' AND o.namespace = $1 AND o.name = $2 AND r.id <> $3 AND ${alive}`,
      [namespace, name, this.id],
    )
    return row && toPeer(row)
  }
}
