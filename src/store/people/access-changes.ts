// Tells caches of logins that users, members or tokens have changed: in this process after the commit, in other replicas by
// NOTIFY. A lost message does little harm: logins are cached for a few seconds.
import type { WriteSession } from '../core/write-session.ts'
import type { Actor } from '../core/actor.ts'
import type { SessionWriter } from '../core/session-writer.ts'
import type { Sql } from '../drivers/sql.ts'

const channel = 'stagely_access'

export class AccessChanges {
  readonly #sql: Sql
  readonly #store: SessionWriter
  readonly #listeners = new Set<() => void>()
  #stopListening: (() => Promise<void>) | undefined

  private constructor(sql: Sql, store: SessionWriter) {
    this.#sql = sql
    this.#store = store
  }

  static async start(sql: Sql, store: SessionWriter): Promise<AccessChanges> {
    const changes = new AccessChanges(sql, store)
    // An embedded database has no other replicas.
    if (sql.kind === 'postgres') {
      const tell = (): void => changes.#tell()
      changes.#stopListening = await sql.listen(channel, tell, tell)
    }
    return changes
  }

  /** Calls `listener` after each change. Returns a function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Store.writeWithSession(), followed by the message to the caches. */
  async write<T>(actor: Actor, fn: (session: WriteSession) => Promise<T>): Promise<T> {
    const result = await this.#store.writeWithSession(actor, async (session) => {
      const done = await fn(session)
      if (this.#sql.kind === 'postgres')
        await session.tx.query(`SELECT pg_notify('${channel}', '')`)
      return done
    })
    this.#tell()
    return result
  }

  async stop(): Promise<void> {
    this.#listeners.clear()
    await this.#stopListening?.()
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
