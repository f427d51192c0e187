// Drops what is old from the beginning of the chain. A start that the controller signs says that the rows
// before were old: so they are read and proven first. Somebody who wrote another time into a row, or took
// rows out, would otherwise have the controller itself hide what he did.
import type { HeadSigner } from '../../audit/chain.ts'
import { pruneAction, type PruneDetail } from '../../audit/prune.ts'
import type { ChainPoint } from '../../audit/texts.ts'
import type { WriteSession } from '../session.ts'
import type { Queryable } from '../sql.ts'
import { broken, provenRows, readChain, type ChainState } from './chain-row.ts'

/** Rows of one write. */
const mostAtOnce = 2_000

/** Where the chain is to begin, after every row to there, and the link of the next, was found good. */
const provenStart = async (
  q: Queryable,
  { start, head }: ChainState,
  upTo: number,
): Promise<ChainPoint> => {
  let found: ChainPoint = start
  let last: ChainPoint = start
  for await (last of provenRows(q, start, Math.min(upTo + 1, head.seq)))
    if (last.seq === upTo) found = last
  if (last.seq === head.seq && last.hash !== head.hash)
    throw broken(`row ${last.seq} is not the one that was signed`)
  return found
}

/**
 * Where the chain is to begin when signed rows that are older than `before` (ms) are gone, not all at once;
 * undefined where none is so old.
 */
export const findStart = async (q: Queryable, before: number): Promise<ChainPoint | undefined> => {
  const chain = await readChain(q)
  const [kept] = await q.query<{ seq: number | null }>(
    'SELECT min(seq) AS seq FROM audit WHERE at >= to_timestamp($1::float8 / 1000)',
    [before],
  )
  const old = Math.min((kept?.seq ?? Infinity) - 1, chain.head.seq)
  if (old <= chain.start.seq) return undefined
  return provenStart(q, chain, Math.min(old, chain.start.seq + mostAtOnce))
}

/** Drops the rows up to `to`; what is left stays verifiable. Returns how many they were. */
export const pruneChain = async (
  session: WriteSession,
  signer: HeadSigner,
  { start }: ChainState,
  to: ChainPoint,
): Promise<number> => {
  // Another replica was first.
  if (to.seq <= start.seq) return 0
  await session.tx.query('DELETE FROM audit WHERE seq <= $1', [to.seq])
  await session.tx.query(
    'UPDATE audit_chain SET start_seq = $1, start_hash = $2, start_signature = $3',
    [to.seq, to.hash, signer.sign('start', to)],
  )
  const detail: PruneDetail = { rows: to.seq - start.seq, upTo: to.seq }
  const ref = { kind: 'AuditChain', namespace: '', name: 'chain' }
  session.audit(ref, { action: pruneAction, detail: { ...detail } })
  return detail.rows
}
