// Links audit rows into the chain, under the lock of its one row: however many replicas link, there
// is one chain. Rows are found by having no place yet, not by their ids: a row that commits late
// gets a later place and none is lost.
import { randomBytes } from 'node:crypto'
import {
  actorDigest,
  contentDigest,
  isPerson,
  isSignedBy,
  linkHash,
  subjectDigest,
  type ChainPoint,
  type HeadSigner,
} from '../../audit/chain.ts'
import { StagelyError } from '../../kernel/errors.ts'
import type { Queryable } from '../sql.ts'
import { auditColumns, toRecord, type AuditColumns } from './rows.ts'

/** Rows of one statement. */
const groupSize = 1_000

export interface ChainState {
  readonly start: ChainPoint & { readonly signature: string | null }
  readonly head: ChainPoint & { readonly signature: string | null }
}

interface ChainRow {
  start_seq: number
  start_hash: string
  start_signature: string | null
  head_seq: number
  head_hash: string
  head_signature: string | null
}

/** The head in the database is not one that this controller signed. */
class TamperedError extends StagelyError {}
export const isTampered = (error: unknown): boolean => error instanceof TamperedError

export const broken = (why: string): StagelyError =>
  new TamperedError(
    'InternalError',
    `the audit chain was tampered with: ${why}; rows are kept but no longer linked: see stagely audit verify`,
  )

export const readChain = async (q: Queryable, lock = ''): Promise<ChainState> => {
  const [row] = await q.query<ChainRow>(
    `SELECT start_seq, start_hash, start_signature, head_seq, head_hash, head_signature
     FROM audit_chain ${lock}`,
    [],
  )
  if (row === undefined) throw broken('its state is missing')
  return {
    start: { seq: row.start_seq, hash: row.start_hash, signature: row.start_signature },
    head: { seq: row.head_seq, hash: row.head_hash, signature: row.head_signature },
  }
}

const isStart = (signer: HeadSigner, { signature, ...point }: ChainState['start']): boolean =>
  point.seq === 0 || isSignedBy(signer.publicKey, 'start', point, signature ?? '')

/**
 * Signs where a chain begins that an older program has pruned: it signed starts as it signed heads.
 * Another start stays as it is, which lockChain then refuses. Returns the row signed for, if any.
 */
export const adoptStart = async (
  tx: Queryable,
  signer: HeadSigner,
): Promise<number | undefined> => {
  const { start } = await readChain(tx, 'FOR UPDATE')
  if (isStart(signer, start)) return undefined
  if (!isSignedBy(signer.publicKey, 'head', start, start.signature ?? '')) return undefined
  await tx.query('UPDATE audit_chain SET start_signature = $1', [signer.sign('start', start)])
  return start.seq
}

/**
 * Locks the chain and checks that its start and head are the controller's own: to sign on top of
 * what somebody else wrote would make his chain ours. `seen` is the newest head that this process saw.
 */
export const lockChain = async (
  tx: Queryable,
  signer: HeadSigner,
  seen: ChainPoint,
): Promise<ChainState> => {
  const chain = await readChain(tx, 'FOR UPDATE')
  const { head, start } = chain
  if (!isStart(signer, start))
    throw broken('where it begins is not where this controller pruned it')
  if (head.seq < seen.seq) throw broken(`its head went back from ${seen.seq} to ${head.seq}`)
  if (head.seq === 0) {
    if (head.hash !== '') throw broken('its beginning was changed')
    return chain
  }
  if (!isSignedBy(signer.publicKey, 'head', head, head.signature ?? '')) {
    throw broken(`the signature over row ${head.seq} is not this controller's`)
  }
  return chain
}

interface Linked extends ChainPoint {
  readonly id: number
  readonly actorSalt: string
  readonly actorDigest: string
  readonly subjectSalt: string | null
  readonly subjectDigest: string | null
}

const newSalt = (): string => randomBytes(16).toString('base64url')

const linkRow = (row: AuditColumns, last: ChainPoint): Linked => {
  const record = toRecord(row)
  const seq = last.seq + 1
  const actorSalt = newSalt()
  const actor = actorDigest(actorSalt, record)
  const subjectSalt = isPerson(row.kind) ? newSalt() : null
  const subject = subjectSalt === null ? undefined : subjectDigest(subjectSalt, record)
  return {
    id: row.id,
    seq,
    actorSalt,
    actorDigest: actor,
    subjectSalt,
    subjectDigest: subject ?? null,
    hash: linkHash(last.hash, contentDigest(record, { seq, actor, subject })),
  }
}

const storeSql = `
UPDATE audit a SET seq = l.seq, actor_salt = l.actor_salt, actor_digest = l.actor_digest,
  subject_salt = l.subject_salt, subject_digest = l.subject_digest, hash = l.hash,
  signature = CASE WHEN l.seq = $8 THEN $9 END
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  AS l (id, seq, actor_salt, actor_digest, subject_salt, subject_digest, hash)
WHERE a.id = l.id`

/** Links up to one group; `tx` holds the chain. Returns the new head, `chain.head` when nothing is new. */
export const linkGroup = async (
  tx: Queryable,
  signer: HeadSigner,
  from: ChainState['head'],
): Promise<ChainState['head']> => {
  const rows = await tx.query<AuditColumns>(
    `SELECT ${auditColumns} FROM audit WHERE seq IS NULL ORDER BY id LIMIT ${groupSize}`,
    [],
  )
  if (rows.length === 0) return from
  const linked: Linked[] = []
  for (const row of rows) linked.push(linkRow(row, linked.at(-1) ?? from))
  const { seq, hash } = linked.at(-1)!
  const head = { seq, hash, signature: signer.sign('head', { seq, hash }) }
  await tx.query(storeSql, [
    linked.map((l) => l.id),
    linked.map((l) => l.seq),
    linked.map((l) => l.actorSalt),
    linked.map((l) => l.actorDigest),
    linked.map((l) => l.subjectSalt),
    linked.map((l) => l.subjectDigest),
    linked.map((l) => l.hash),
    head.seq,
    head.signature,
  ])
  await tx.query('UPDATE audit_chain SET head_seq = $1, head_hash = $2, head_signature = $3', [
    head.seq,
    head.hash,
    head.signature,
  ])
  return head
}
