// The audit log: what is read of it, and its chain. Rows themselves are written by whoever acts, in
// the action's own transaction: see WriteSession.
import type { ChainPoint, HeadSigner } from '../../audit/chain.ts'
import type { ExportLine, SignedHead } from '../../audit/record.ts'
import type { Clock } from '../../kernel/clock.ts'
import { StagelyError } from '../../kernel/errors.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import type { AuditEntry } from '../session.ts'
import type { Settings } from '../settings.ts'
import type { SqlStore } from '../sql-store.ts'
import type { Sql } from '../sql.ts'
import type { Actor } from '../store.ts'
import { erasePerson, type Erasure } from './erase.ts'
import { isTampered, linkGroup, lockChain, readChain, type ChainState } from './link.ts'
import { pruneChain } from './prune.ts'
import { forgetRevoked } from './refused-tokens.ts'
import { loadSigner } from './signer.ts'
import { exportRows, listAudit, listRevealed } from './queries.ts'
import type { AuditFilter, AuditPage, Revealed } from './queries.ts'

const exportPage = 500

export interface AuditLogDeps {
  readonly sql: Sql
  readonly store: SqlStore
  readonly settings: Settings
  readonly clock: Clock
}

export class AuditLog {
  readonly #deps: AuditLogDeps
  #signer: Promise<HeadSigner> | undefined
  #seen: ChainState['head'] = { seq: 0, hash: '', signature: null }

  constructor(deps: AuditLogDeps) {
    this.#deps = deps
  }

  /** Calls `listener` after each commit in this process that made audit rows. */
  onRows(listener: () => void): void {
    this.#deps.store.onAudit(listener)
  }

  /** A row for what is no write of the store. */
  record(actor: Actor, ref: ObjectRef, entry: AuditEntry): Promise<void> {
    return this.#deps.store.audit(actor, ref, entry)
  }

  /** True when a row waits for its place in the chain: one look at a partial index. */
  async pending(): Promise<boolean> {
    const rows = await this.#deps.sql.query('SELECT 1 FROM audit WHERE seq IS NULL LIMIT 1', [])
    return rows.length > 0
  }

  /**
   * Links every row that waits; returns the signed head. InternalError, and no row is linked, when
   * the head in the database is not one that this controller signed.
   */
  async link(): Promise<SignedHead> {
    const signer = await this.#open()
    let head: ChainState['head']
    do {
      head = await this.#deps.sql.transaction(async (tx) => {
        const chain = await lockChain(tx, signer, this.#seen)
        return linkGroup(tx, signer, chain.head)
      })
      this.#seen = head
    } while (await this.pending())
    return headOf(head, signer)
  }

  /**
   * Drops linked rows that are older than `before` (ms); returns how many. InternalError, and none is
   * dropped, where one of them is not as it was linked.
   */
  async prune(before: number): Promise<number> {
    const signer = await this.#open()
    const now = this.#deps.clock.now()
    for (let all = 0; ;) {
      const rows = await this.#deps.sql.transaction(async (tx) => {
        const chain = await lockChain(tx, signer, this.#seen)
        return pruneChain(tx, signer, chain, { before, now })
      })
      if (rows === 0) return all
      all += rows
    }
  }

  /** See refused-tokens.ts. */
  forgetRevokedTokens(before: number): Promise<void> {
    return forgetRevoked(this.#deps.sql, before)
  }

  /** Newest first. */
  list(
    filter: AuditFilter,
    page: { before?: number | undefined; limit: number },
  ): Promise<AuditPage> {
    return listAudit(this.#deps.sql, filter, page)
  }

  revealed(by: string, teams: readonly string[] | undefined): Promise<Revealed[]> {
    return listRevealed(this.#deps.sql, by, teams)
  }

  /**
   * The chain from its start, or from after row `after`, up to now: rows that the filter leaves out
   * come as digests, so that every export can be verified. NotFound for an `after` that is no row.
   */
  async *export(filter: AuditFilter, after?: number): AsyncGenerator<ExportLine> {
    const head = await this.#headToExport()
    const start = await this.#startOf(after)
    yield { type: 'start', ...start }
    let last = start.seq
    while (last < head.seq) {
      const lines = await exportRows(this.#deps.sql, filter, {
        after: last,
        upTo: head.seq,
        limit: exportPage,
      })
      for (const line of lines) {
        yield line
        if (line.type === 'row' || line.type === 'hidden') last = line.seq
      }
      if (lines.length === 0) break
    }
    yield head
  }

  /** Puts a pseudonym in place of all that names a person. NotFound when nothing does. */
  async erase(person: string, actor: Actor, dryRun: boolean): Promise<Erasure> {
    const signer = await this.#open()
    return this.#deps.store.writeWithSession(
      actor,
      async (session) => {
        let { head } = await lockChain(session.tx, signer, this.#seen)
        for (let next = head; ; head = next) {
          next = await linkGroup(session.tx, signer, head)
          if (next === head) break
        }
        return erasePerson(session, person)
      },
      { dryRun },
    )
  }

  /** Where the chain was tampered with, the head as it is told: the verifier then names the row. */
  async #headToExport(): Promise<SignedHead> {
    try {
      return await this.link()
    } catch (error) {
      if (!isTampered(error)) throw error
      const { head } = await readChain(this.#deps.sql)
      return headOf(head.seq < this.#seen.seq ? this.#seen : head, await this.#open())
    }
  }

  async #startOf(after: number | undefined): Promise<ChainPoint & { signature?: string }> {
    const { start } = await readChain(this.#deps.sql)
    if (after === undefined || after <= start.seq) return pointOf(start)
    const [row] = await this.#deps.sql.query<{ hash: string }>(
      'SELECT hash FROM audit WHERE seq = $1',
      [after],
    )
    if (row === undefined) throw new StagelyError('NotFound', `the audit log has no row ${after}`)
    return { seq: after, hash: row.hash }
  }

  #open(): Promise<HeadSigner> {
    const { settings, store } = this.#deps
    this.#signer ??= loadSigner(settings, store).catch((error: unknown) => {
      this.#signer = undefined
      throw error
    })
    return this.#signer
  }
}

const pointOf = (point: ChainState['start']): ChainPoint & { signature?: string } => ({
  seq: point.seq,
  hash: point.hash,
  ...(point.signature === null ? {} : { signature: point.signature }),
})

const headOf = (head: ChainState['head'], signer: HeadSigner): SignedHead => ({
  type: 'head',
  ...pointOf(head),
  public_key: signer.publicKey,
})
