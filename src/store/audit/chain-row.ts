// The row of the chain: its start and its last signed head. The controller checks the chain before it signs: otherwise its
// signature would make rows valid that somebody else has written.
import { nodeCrypto, type HeadSigner } from '../../audit/chain.ts'
import { rowFault } from '../../audit/proof.ts'
import { isSigned, type ChainPoint, type SignedAs } from '../../audit/texts.ts'
import { StagelyError } from '../../kernel/errors.ts'
import type { Queryable } from '../drivers/sql.ts'
import { exportRows } from './queries.ts'

/** `head` is the last signed head: there may be newer rows. */
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
    `the audit chain was tampered with: ${why}; rows go on being written, but none is signed: see stagely admin audit verify`,
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

const isOurs = (
  { publicKey }: HeadSigner,
  as: SignedAs,
  { signature, ...point }: ChainState['start'],
): Promise<boolean> =>
  isSigned(nodeCrypto, publicKey, as, { ...point, signature: signature ?? undefined })

const isStart = async (signer: HeadSigner, start: ChainState['start']): Promise<boolean> =>
  start.seq === 0 || isOurs(signer, 'start', start)

/**
 * Locks the chain and checks that its start and head are the controller's own. `point` is the newest head
 * that this process saw.
 */
export const lockChain = async (
  tx: Queryable,
  signer: HeadSigner,
  point: ChainPoint,
): Promise<ChainState> => {
  const chain = await readChain(tx, 'FOR UPDATE')
  const { head, start } = chain
  if (!(await isStart(signer, start)))
    throw broken('where it begins is not where this controller pruned it')
  if (head.seq < point.seq) throw broken(`its head went back from ${point.seq} to ${head.seq}`)
  if (head.seq === 0) {
    if (head.hash !== '') throw broken('its beginning was changed')
    return chain
  }
  if (!(await isOurs(signer, 'head', head))) {
    throw broken(`the signature over row ${head.seq} is not this controller's`)
  }
  // A statement of its own, so that it sees all rows of the former holder of the lock.
  const [last] = await tx.query<{ seq: number | null }>('SELECT max(seq) AS seq FROM audit')
  const end = last?.seq ?? start.seq
  if (end < head.seq) throw broken(`the rows after ${end} are cut off`)
  return chain
}

/** Rows of one statement. */
const pageSize = 500

/** Walks the rows after `from` up to `to`, in order, and checks each of them and that none is missing. */
export async function* provenRows(
  q: Queryable,
  from: ChainPoint,
  to: number,
): AsyncGenerator<ChainPoint> {
  let last = from
  while (last.seq < to) {
    const range = { after: last.seq, upTo: to, limit: pageSize }
    const lines = await exportRows(q, { teams: undefined }, range)
    for (const line of lines) {
      if (line.type !== 'row' || line.seq !== last.seq + 1) break
      const fault = await rowFault(nodeCrypto, last.hash, line)
      if (fault !== undefined) throw broken(fault)
      last = { seq: line.seq, hash: line.hash }
      yield last
    }
    if (last.seq < Math.min(to, range.after + pageSize))
      throw broken(`row ${last.seq + 1} is missing`)
  }
}

/** Checks the rows after the signed head `from`, up to `to`. */
export const prove = async (q: Queryable, from: ChainPoint, to: ChainPoint): Promise<void> => {
  if (to.seq <= from.seq) return
  let last = from
  for await (last of provenRows(q, from, to.seq));
  if (last.hash !== to.hash) throw broken(`row ${to.seq} is not the one that was written`)
}

/** Signs a row of this process, after a check that it is as it was written. */
export const signRow = async (
  tx: Queryable,
  signer: HeadSigner,
  { start }: ChainState,
  { seq, hash }: ChainPoint,
): Promise<void> => {
  if (seq <= start.seq) return
  const rows = await tx.query(
    'UPDATE audit SET signature = $3 WHERE seq = $1 AND hash = $2 RETURNING 1',
    [seq, hash, signer.sign('head', { seq, hash })],
  )
  if (rows.length === 0) throw broken(`row ${seq} is not the one that was written`)
}

/** Makes `point` the signed head, where it is newer; returns the head. */
export const signHead = async (
  tx: Queryable,
  signer: HeadSigner,
  chain: ChainState,
  point: ChainPoint,
): Promise<ChainState['head']> => {
  if (point.seq <= chain.head.seq) return chain.head
  await signRow(tx, signer, chain, point)
  const head = { ...point, signature: signer.sign('head', point) }
  await tx.query('UPDATE audit_chain SET head_seq = $1, head_hash = $2, head_signature = $3', [
    head.seq,
    head.hash,
    head.signature,
  ])
  return head
}
