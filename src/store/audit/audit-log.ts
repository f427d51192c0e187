// Reads the audit log, and signs and prunes its chain. The rows are written with the actions themselves: see WriteSession.
import type { HeadSigner } from '../../audit/chain.ts'
import type { ExportLine, SignedHead } from '../../audit/lines.ts'
import { genesis, type ChainPoint, type ReportKind } from '../../audit/texts.ts'
import { notNull } from '../../kernel/defined.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { messageOf, StagelyError } from '../../kernel/errors.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import type { AuditEntry } from '../core/write-session.ts'
import type { Settings } from '../settings.ts'
import type { Store } from '../store.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Actor } from '../core/actor.ts'
import { readAccessFacts, type AccessFacts } from './access-facts.ts'
import { erasePerson, type Erasure } from './erase.ts'
import {
  isTampered,
  lockChain,
  prove,
  readChain,
  signHead,
  signRow,
  type ChainState,
} from './chain-row.ts'
import { findStart, pruneChain } from './prune.ts'
import {
  countFormerReaders,
  listReaders,
  type FormerReaderCounts,
  type Readers,
} from './former-readers.ts'
import { forgetRevoked } from '../people/refused-tokens.ts'
import { loadSigner } from './signer.ts'
import { exportRows, listAudit, listRevealed, readersOfSecrets } from './queries.ts'
import type { AuditFilter, AuditPage, Revealed } from './queries.ts'
import { controllerActor } from '../core/actor.ts'

const exportPage = 500

interface AuditLogDeps {
  readonly sql: Sql
  readonly store: Store
  readonly settings: Settings
}

interface AuditState {
  readonly linkedTo: number
  readonly head: SignedHead
  /** The chain was changed by somebody else than the controllers. */
  readonly fault: string | undefined
}

export class AuditLog {
  readonly #deps: AuditLogDeps
  #signer: Promise<HeadSigner> | undefined
  /** The newest signed head that this process has seen. */
  #seen: ChainState['head'] = { ...genesis, signature: null }
  /** The newest signed row of this process. */
  #signed: ChainPoint | undefined

  constructor(deps: AuditLogDeps) {
    this.#deps = deps
  }

  /** Writes a row for an action that is no write of the store. */
  record(actor: Actor, ref: ObjectRef, entry: AuditEntry): Promise<void> {
    return this.#deps.store.audit(actor, ref, entry)
  }

  /** True where this process has written rows that are not signed yet. */
  get isUnsigned(): boolean {
    return this.#signed === undefined || this.#deps.store.ownAudit.seq > this.#signed.seq
  }

  /**
   * Signs the newest row, and the newest row of this process. Returns the signed head. InternalError, and nothing is
   * signed, where the chain was changed by somebody else.
   */
  async sign(): Promise<SignedHead> {
    const { sql, store } = this.#deps
    const signer = await this.#open()
    const own = store.ownAudit
    const newest = await store.newestAudit()
    const head = await sql.transaction(async (tx) => {
      const chain = await lockChain(tx, signer, this.#seen)
      // Rows of a process that ended before it had signed them.
      if (this.#signed === undefined) await prove(tx, chain.head, newest)
      await signRow(tx, signer, chain, own)
      return signHead(tx, signer, chain, newest)
    })
    this.#signed = own
    if (head.seq > this.#seen.seq) this.#seen = head
    return headOf(head, signer)
  }

  /** The document with the newest head, signed. */
  async signReport<T extends object>(
    kind: ReportKind,
    content: T,
  ): Promise<{ document: T & { head: SignedHead }; signature: string; public_key: string }> {
    const head = await this.sign()
    const document = { ...content, head }
    const signature = (await this.#open()).signReport(kind, canonicalJson(document))
    return { document, signature, public_key: head.public_key }
  }

  /** The newest row, the signed head, and why it could not be signed. */
  async state(): Promise<AuditState> {
    try {
      const head = await this.sign()
      return { linkedTo: head.seq, head, fault: undefined }
    } catch (error) {
      if (!isTampered(error)) throw error
      const { seq } = await this.#deps.store.newestAudit()
      return { linkedTo: seq, head: await this.#toldHead(), fault: messageOf(error) }
    }
  }

  /**
   * Drops signed rows that are older than `before` (ms). Returns their number. InternalError, and no row is dropped, where
   * one of them was changed.
   */
  async prune(before: number): Promise<number> {
    const signer = await this.#open()
    const { sql, store } = this.#deps
    // Only signed rows are pruned, so that the row about the pruning stays.
    await this.sign()
    for (let all = 0; ;) {
      const to = await findStart(sql, before)
      if (to === undefined) return all
      all += await store.writeWithSession(controllerActor, async (session) => {
        const chain = await lockChain(session.tx, signer, this.#seen)
        return pruneChain(session, signer, chain, to)
      })
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

  /** The people who may read values, with their teams. */
  readers(nowMs: number): Promise<Readers> {
    return listReaders(this.#deps.sql, nowMs)
  }

  /** For each current value that people have read: how many of them may not read it any more, as they are not in `readers`. */
  knownOutside(readers: Readers): Promise<FormerReaderCounts> {
    return countFormerReaders(this.#deps.sql, readers)
  }

  /** Who has read these secrets, by their uids, each person once. */
  readersOf(uids: readonly string[]): ReturnType<typeof readersOfSecrets> {
    return readersOfSecrets(this.#deps.sql, uids)
  }

  /** What the log says of who may read values of a team. */
  accessFacts(of: Parameters<typeof readAccessFacts>[1]): Promise<AccessFacts> {
    return readAccessFacts(this.#deps.sql, of)
  }

  revealed(by: string, teams: readonly string[] | undefined): Promise<Revealed[]> {
    return listRevealed(this.#deps.sql, by, teams)
  }

  /**
   * The chain from its start, or from after row `after`, up to now. Rows that the filter leaves out come as digests, so
   * that every export can be verified. NotFound where `after` is no row.
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

  /** Replaces a person by a pseudonym. NotFound where no row names the person. */
  async erase(person: string, actor: Actor, dryRun: boolean): Promise<Erasure> {
    const signer = await this.#open()
    const locked = (tx: Queryable): Promise<unknown> => lockChain(tx, signer, this.#seen)
    return erasePerson(this.#deps, person, { actor, dryRun, locked })
  }

  /** The signed head. Where the chain was tampered with, the head is returned unchecked: the verifier then names the row. */
  async #headToExport(): Promise<SignedHead> {
    try {
      return await this.sign()
    } catch (error) {
      if (!isTampered(error)) throw error
      return this.#toldHead()
    }
  }

  async #toldHead(): Promise<SignedHead> {
    const { head } = await readChain(this.#deps.sql)
    return headOf(head.seq < this.#seen.seq ? this.#seen : head, await this.#open())
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
  ...notNull({ signature: point.signature }),
})

const headOf = (head: ChainState['head'], signer: HeadSigner): SignedHead => ({
  type: 'head',
  ...pointOf(head),
  public_key: signer.publicKey,
})
