// Reads an export line by line and finds the first row that was changed. Pure: see texts.ts.
import { ErasedPeople } from './erased-people.ts'
import {
  readLine,
  type ChainedRecord,
  type ExportLine,
  type HiddenRecord,
  type SignedHead,
  type StartLine,
} from './lines.ts'
import { linkFault, rowFault } from './proof.ts'
import { pruneAction } from './prune.ts'
import { genesisHash, isSigned, type ChainCrypto, type ChainPoint, type SignedAs } from './texts.ts'

/** The first fault; `seq` names the row, if the fault is of one row. */
interface ChainFault {
  readonly seq: number | undefined
  readonly message: string
}

/** The controller pruned the rows up to this one because of their age. */
interface Pruned {
  readonly upTo: number
  /** Time of the newest pruning (RFC 3339); undefined when the reader may not see its row. */
  readonly at: string | undefined
}

export type ChainVerdict =
  | {
      readonly ok: true
      readonly rows: number
      readonly hidden: number
      readonly head: SignedHead
      readonly pruned: Pruned | undefined
    }
  | { readonly ok: false; readonly fault: ChainFault }

export interface VerifyOptions {
  /** Heads that were kept elsewhere: the chain must contain each of them. */
  readonly heads?: readonly SignedHead[]
  /** The key that must have signed; absent: the key of the first known head, else the export's own key. */
  readonly publicKey?: string | undefined
  /** The export begins after this row: earlier rows are not checked. */
  readonly after?: number | undefined
}

class Fault extends Error {
  readonly seq: number | undefined
  constructor(seq: number | undefined, message: string) {
    super(message)
    this.seq = seq
  }
}

type Row = ChainedRecord | HiddenRecord

const isRow = (line: ExportLine | string): line is Row =>
  typeof line === 'object' && (line.type === 'row' || line.type === 'hidden')

/** Somebody else wrote the rows between the last good signature and the first bad one. */
const rewritten = (from: ChainPoint, to: ChainPoint): Fault =>
  new Fault(
    from.seq + 1,
    `row ${from.seq + 1}, or one after it up to row ${to.seq}, was changed and the chain recomputed: ` +
      `the signature over row ${to.seq} is not the controller's`,
  )

export class ChainVerifier {
  readonly #crypto: ChainCrypto
  readonly #known: Map<number, SignedHead>
  readonly #pinned: string | undefined
  readonly #after: number | undefined
  readonly #erased = new ErasedPeople()
  /** Signed points. The key to check them comes with the last line. */
  #signed: { point: ChainPoint; signature: string }[] = []
  #start: StartLine | undefined
  /** True when the point before the first row is known from elsewhere, or was not asked for. */
  #joins = false
  #last: ChainPoint | undefined
  #head: SignedHead | undefined
  #rows = 0
  #hidden = 0
  /** The newest row about a pruning. */
  #pruning: Pruned | undefined
  #pruned: Pruned | undefined
  #fault: ChainFault | undefined

  constructor(crypto: ChainCrypto, { heads = [], publicKey, after }: VerifyOptions = {}) {
    this.#crypto = crypto
    this.#known = new Map(heads.map((head) => [head.seq, head]))
    this.#pinned = publicKey ?? heads[0]?.public_key
    this.#after = after
  }

  /** How far it has come: the newest row that is linked to those before. */
  get seq(): number {
    return this.#last?.seq ?? 0
  }

  /** Checks lines of the export, without newlines. After a fault all further lines are ignored. */
  async accept(...texts: readonly string[]): Promise<void> {
    if (this.#fault !== undefined) return
    const lines = texts.map(readLine)
    // Each row is checked against the hash that the row before claims: so all are checked at once.
    const faults = await Promise.all(
      lines.map((line, index) => this.#faultOf(line, lines[index - 1])),
    )
    for (const [index, line] of lines.entries())
      await this.#guard(() => this.#take(line, faults[index]))
  }

  async finish(): Promise<ChainVerdict> {
    await this.#guard(() => this.#checkEnd())
    if (this.#fault !== undefined) return { ok: false, fault: this.#fault }
    const [rows, hidden, pruned] = [this.#rows, this.#hidden, this.#pruned]
    return { ok: true, rows, hidden, head: this.#head!, pruned }
  }

  async #guard(check: () => void | Promise<void>): Promise<void> {
    if (this.#fault !== undefined) return
    try {
      await check()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#fault = { seq: error.seq, message: error.message }
    }
  }

  async #faultOf(
    row: ExportLine | string,
    before: ExportLine | string | undefined,
  ): Promise<string | undefined> {
    if (!isRow(row)) return undefined
    const previous = typeof before === 'object' ? before.hash : (this.#last?.hash ?? '')
    return row.type === 'hidden'
      ? linkFault(this.#crypto, previous, row)
      : rowFault(this.#crypto, previous, row)
  }

  #isSigned(by: string, as: SignedAs, point: ChainPoint & { signature?: string | undefined }) {
    return isSigned(this.#crypto, by, as, point)
  }

  #take(line: ExportLine | string, fault: string | undefined): void {
    if (typeof line === 'string') {
      const next = this.#last === undefined ? undefined : this.#last.seq + 1
      throw new Fault(next, `what follows row ${this.seq} is ${line}`)
    }
    if (this.#head !== undefined)
      throw new Fault(undefined, 'there are lines after the signed head')
    if (line.type === 'start') this.#begin(line)
    else if (this.#last === undefined)
      throw new Fault(undefined, 'the first line is not the start line of an export')
    else if (line.type === 'head') this.#head = line
    else this.#link(line, this.#last, fault)
  }

  #begin(line: StartLine): void {
    if (this.#start !== undefined)
      throw new Fault(
        undefined,
        'there are two start lines: one export was appended to another one',
      )
    if (line.seq === 0 && line.hash !== genesisHash) {
      throw new Fault(1, 'the first row was replaced: its hash does not follow from an empty log')
    }
    this.#start = line
    this.#last = line
    this.#joins = this.#known.has(line.seq) || line.seq === this.#after
    this.#checkKnown(line)
  }

  #link(row: Row, last: ChainPoint, fault: string | undefined): void {
    const { seq } = row
    if (seq > last.seq + 1) {
      const many = seq === last.seq + 2 ? 'is' : `to ${seq - 1} are`
      throw new Fault(last.seq + 1, `row ${last.seq + 1} ${many} missing`)
    }
    if (seq <= last.seq) throw new Fault(seq, `row ${seq} is there twice, or out of order`)
    if (fault !== undefined) throw new Fault(seq, fault)
    if (row.type === 'row') {
      this.#erased.note(row)
      if (row.action === pruneAction)
        this.#pruning = { upTo: Number(row.detail?.['upTo']), at: row.at }
    }
    this.#last = { seq, hash: row.hash }
    if (row.signature !== undefined)
      this.#signed.push({ point: this.#last, signature: row.signature })
    this.#checkKnown(this.#last)
    if (row.type === 'hidden') this.#hidden += 1
    this.#rows += 1
  }

  #checkKnown(point: ChainPoint): void {
    const head = this.#known.get(point.seq)
    if (head === undefined) return
    if (head.hash !== point.hash) {
      const message = `row ${point.seq}, or one before it, is not the one that was signed in the head kept elsewhere`
      throw new Fault(point.seq, message)
    }
    this.#known.delete(point.seq)
  }

  async #checkEnd(): Promise<void> {
    const [start, last, head] = [this.#start, this.#last, this.#head]
    if (start === undefined || last === undefined) throw new Fault(undefined, 'the export is empty')
    if (head === undefined) {
      throw new Fault(last.seq + 1, `the export ends after row ${last.seq}, without a signed head`)
    }
    await this.#checkSignatures(head, start)
    if (head.seq > last.seq) {
      throw new Fault(
        last.seq + 1,
        `the rows after ${last.seq} are cut off: ${head.seq} were signed`,
      )
    }
    if (head.seq < last.seq || head.hash !== last.hash) {
      throw new Fault(
        head.seq + 1,
        `the rows after row ${head.seq} are not covered by the signature`,
      )
    }
    await this.#checkKnownEnd(start, last)
    // An erasure may be recorded in a row that is hidden from this reader.
    if (this.#hidden > 0) return
    const uncovered = await this.#erased.uncovered(this.#crypto, { isWhole: start.seq === 0 })
    if (uncovered === undefined) return
    const message = `rows name ${uncovered.person} that no recorded erasure covers: who acted was blanked out by hand`
    throw new Fault(uncovered.first, message)
  }

  async #checkSignatures(head: SignedHead, start: StartLine): Promise<void> {
    const key = this.#pinned ?? head.public_key
    if (key !== head.public_key) {
      throw new Fault(
        undefined,
        `the head is signed with the key ${head.public_key}, not with ${key}`,
      )
    }
    await this.#checkStart(start, key)
    let good: ChainPoint = start
    for (const { point, signature } of this.#signed) {
      if (!(await this.#isSigned(key, 'head', { ...point, signature })))
        throw rewritten(good, point)
      good = point
    }
    if (head.seq === 0 && head.signature === undefined) return
    if (!(await this.#isSigned(key, 'head', head))) throw rewritten(good, head)
  }

  /**
   * A start after the first row proves nothing about the earlier rows: the controller must have signed
   * that it pruned them.
   */
  async #checkStart(start: StartLine, key: string): Promise<void> {
    if (start.seq === 0) return
    if (await this.#isSigned(key, 'start', start)) {
      const { seq } = start
      if (this.#pruning?.upTo === seq) this.#pruned = this.#pruning
      else if (this.#hidden === 0)
        throw new Fault(seq + 1, `no row says that the rows up to ${seq} were pruned`)
      else this.#pruned = { upTo: seq, at: undefined }
    } else if (!this.#joins) {
      const message =
        `the rows up to ${start.seq} are missing, and the controller has not signed that it pruned them ` +
        `(where this is an export from after row ${start.seq} on, say so, or give the head of the one before)`
      throw new Fault(1, message)
    }
  }

  async #checkKnownEnd(start: ChainPoint, last: ChainPoint): Promise<void> {
    for (const head of this.#known.values()) {
      if (!(await this.#isSigned(head.public_key, 'head', head))) {
        throw new Fault(
          undefined,
          `the head kept elsewhere (row ${head.seq}) is not signed rightly`,
        )
      }
      if (head.seq > last.seq) {
        const message = `the rows after ${last.seq} are cut off: the head kept elsewhere has row ${head.seq} (or the database was restored from an older backup)`
        throw new Fault(last.seq + 1, message)
      }
      if (head.seq < start.seq) {
        const message = `the head kept elsewhere (row ${head.seq}) is older than the first row here; give a newer one`
        throw new Fault(undefined, message)
      }
    }
  }
}
