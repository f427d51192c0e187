// Drops what is old from the beginning of the chain. A start that the controller signs says that the rows
// before were old: so they are read and proven first. Somebody who wrote another time into a row, or took
// rows out, would otherwise have the controller itself hide what he did.
import type { ChainPoint, HeadSigner } from '../../audit/chain.ts'
import { rowFault } from '../../audit/proof.ts'
import { pruneAction, type PruneDetail } from '../../audit/prune.ts'
import type { ExportLine } from '../../audit/record.ts'
import type { Queryable } from '../sql.ts'
import { broken, type ChainState } from './link.ts'
import { exportRows } from './queries.ts'

/** Rows of one transaction: others wait for the embedded database meanwhile. */
const mostAtOnce = 2_000

const next = (last: ChainPoint, line: ExportLine): ChainPoint => {
  if (line.type !== 'row' || line.seq !== last.seq + 1)
    throw broken(`row ${last.seq + 1} is missing`)
  const fault = rowFault(last.hash, line)
  if (fault !== undefined) throw broken(fault)
  return { seq: line.seq, hash: line.hash }
}

/** The point `upTo` of the chain, after every row to there, and the link of the next, was found good. */
const proven = async (tx: Queryable, chain: ChainState, upTo: number): Promise<ChainPoint> => {
  let last: ChainPoint = chain.start
  let start: ChainPoint = chain.start
  const end = Math.min(upTo + 1, chain.head.seq)
  const range = { after: last.seq, upTo: end, limit: end - last.seq }
  for (const line of await exportRows(tx, { teams: undefined }, range)) {
    last = next(last, line)
    if (last.seq === upTo) start = last
  }
  if (last.seq !== end) throw broken(`row ${last.seq + 1} is missing`)
  if (end === chain.head.seq && last.hash !== chain.head.hash)
    throw broken(`row ${end} is not the one that was signed`)
  return start
}

/** Drops linked rows that are older than `before` (ms), not all at once; what is left stays verifiable. */
export const pruneChain = async (
  tx: Queryable,
  signer: HeadSigner,
  chain: ChainState,
  what: { before: number; now: number },
): Promise<number> => {
  const [kept] = await tx.query<{ seq: number | null }>(
    'SELECT min(seq) AS seq FROM audit WHERE seq IS NOT NULL AND at >= to_timestamp($1::float8 / 1000)',
    [what.before],
  )
  const old = (kept?.seq ?? chain.head.seq + 1) - 1
  if (old <= chain.start.seq) return 0
  const last = Math.min(old, chain.start.seq + mostAtOnce)
  const start = await proven(tx, chain, last)
  await tx.query('DELETE FROM audit WHERE seq <= $1', [last])
  await tx.query('UPDATE audit_chain SET start_seq = $1, start_hash = $2, start_signature = $3', [
    start.seq,
    start.hash,
    signer.sign('start', start),
  ])
  const detail: PruneDetail = { rows: last - chain.start.seq, upTo: last }
  await tx.query(
    `INSERT INTO audit (at, actor, source, action, kind, namespace, name, detail)
     VALUES (to_timestamp($1::float8 / 1000), 'controller', 'system', $2, 'AuditChain', '', 'chain', $3::json)`,
    [what.now, pruneAction, JSON.stringify(detail)],
  )
  return detail.rows
}
