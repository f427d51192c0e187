// Tokens of users. Only their SHA-256 is stored: they are random, so no slow hash is needed.
import { createHash, randomBytes } from 'node:crypto'
import type { Principal } from '../access/principal.ts'
import type { Clock } from '../kernel/clock.ts'
import type { SqlStore } from './sql-store.ts'
import type { Sql } from './sql.ts'

const adminName = 'admin'
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

export class TokenStore {
  readonly #sql: Sql
  readonly #store: SqlStore
  readonly #clock: Clock

  constructor(sql: Sql, store: SqlStore, clock: Clock) {
    this.#sql = sql
    this.#store = store
    this.#clock = clock
  }

  /**
   * Makes the admin's token at the first start of all and returns it, this one time. `keep` runs
   * before the commit, so that a crash cannot leave a token that nobody was told.
   */
  ensureAdmin(keep?: (token: string) => Promise<void>): Promise<string | undefined> {
    const actor = { name: 'controller', source: 'system' }
    return this.#store.writeWithSession(actor, async (session) => {
      const token = `sat_${randomBytes(32).toString('base64url')}`
      const rows = await session.tx.query(
        `INSERT INTO tokens (hash, name, role, created_at) VALUES ($1, $2, 'admin', $3)
         ON CONFLICT DO NOTHING RETURNING name`,
        [hashOf(token), adminName, session.nowMs],
      )
      if (rows.length === 0) return undefined
      const ref = { kind: 'Namespace', namespace: '', name: adminName }
      await session.audit(ref, { action: 'create token' })
      await keep?.(token)
      return token
    })
  }

  /** Undefined for an unknown or expired token. Looked up by hash: timing tells nothing of it. */
  async verify(token: string): Promise<Principal | undefined> {
    const [row] = await this.#sql.query<{ name: string; expires_at: number | null }>(
      'SELECT name, expires_at FROM tokens WHERE hash = $1',
      [hashOf(token)],
    )
    if (row === undefined) return undefined
    if (row.expires_at !== null && row.expires_at <= this.#clock.now()) return undefined
    const id = row.name
    return { id, name: row.name, kind: 'machine', admin: true, roles: new Map(), tokenId: id }
  }
}
