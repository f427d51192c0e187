// Drops old rows from the start of the chain. The controller signs the new start, which says that the dropped rows were old.
// So it checks them first: otherwise it would itself hide that somebody has changed or removed rows.
import type { HeadSigner } from '../../audit/chain.ts'
import { pruneAction, type PruneDetail } from '../../audit/prune.ts'
import type { ChainPoint } from '../../audit/texts.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Queryable } from '../drivers/sql.ts'
import { broken, provenRows, readChain, type ChainState } from './chain-row.ts'

/** Rows of one write. */
const mostAtOnce = 2_000

/** The new start of the chain, after the check of all rows before it and of the next link. */
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
 * The new start of the chain without signed rows that are older than `before` (ms), or without the first of them;
 * undefined where no row is that old.
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

/** Drops the rows up to `to`. The rest stays verifiable. Returns the number of dropped rows. */
export const pruneChain = async (
  session: WriteSession,
  signer: HeadSigner,
  { start }: ChainState,
  to: ChainPoint,
): Promise<number> => {
  // Another replica has pruned first.
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
