// Small secrets of the controller itself, sealed: its CA, its keys.
import type { ObjectRef } from '../resources/meta.ts'
import type { KeyProvider } from '../secrets/key-provider.ts'
import type { AuditEntry } from './core/write-session.ts'
import type { Store } from './store.ts'
import type { Sql } from './drivers/sql.ts'
import type { Actor } from './core/actor.ts'

/** Setting `sealing-key-N` holds key N of the keys that seal values for manifests. */
export const sealingKeyPrefix = 'sealing-key-'

export const settingContext = (key: string): string => `setting ${key}`

/** The actor and the audit row of a setting, stored in the same write. */
interface SettingAudit {
  readonly actor: Actor
  readonly ref: ObjectRef
  readonly entry: AuditEntry
}

const insert =
  'INSERT INTO settings (key, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING key'

export class Settings {
  readonly #sql: Sql
  readonly #provider: KeyProvider
  readonly #store: Store

  constructor(sql: Sql, provider: KeyProvider, store: Store) {
    this.#sql = sql
    this.#provider = provider
    this.#store = store
  }

  async getSealed(key: string): Promise<Buffer | undefined> {
    const [row] = await this.#sql.query<{ sealed: string }>(
      'SELECT sealed FROM settings WHERE key = $1',
      [key],
    )
    return row === undefined ? undefined : this.#provider.unwrap(row.sealed, settingContext(key))
  }

  /** Stores the setting where there is none. Returns the stored one: the first writer wins, so that two controllers agree. */
  async putSealedIfAbsent(key: string, bytes: Buffer): Promise<Buffer> {
    const sealed = await this.#provider.wrap(bytes, settingContext(key))
    await this.#sql.query(insert, [key, sealed, null])
    return (await this.getSealed(key)) ?? bytes
  }

  /** putSealedIfAbsent() with an audit row, where `bytes` are stored. */
  async putSealedAudited(key: string, bytes: Buffer, audit: SettingAudit): Promise<void> {
    const sealed = await this.#provider.wrap(bytes, settingContext(key))
    await this.#store.writeWithSession(audit.actor, async (session) => {
      const stored = await session.tx.query(insert, [key, sealed, session.nowMs])
      if (stored.length > 0) session.audit(audit.ref, audit.entry)
    })
  }
}
