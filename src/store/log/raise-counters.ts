// Raises the counters of a database that was set back: no number may be given out twice.
import { maxClockSkewMs } from '../../kernel/clock-skew.ts'
import type { Queryable } from '../drivers/sql.ts'
import { backupColumns } from './tables.ts'

/**
 * By the clock, not only by the counters: of two restores of one backup the second must not repeat
 * what the first one handed out. A thousand versions for each millisecond are more than any store makes.
 * `fact` is what the next start notes: see note-restore.ts.
 */
export const raiseCounters = async (
  tx: Queryable,
  { above, epoch, nowMs, fact }: { above: number; epoch: number; nowMs: number; fact: object },
): Promise<void> => {
  const columns = await backupColumns(tx, 'counters')
  const tip = columns.includes('tip') ? ', tip = NULL, tip_at = NULL' : ''
  await tx.query(
    `UPDATE counters SET rv = $1, compacted_rv = $1, epoch = $2, restored = $3::json${tip}`,
    [Math.max(above + 1, nowMs * 1000), epoch, JSON.stringify(fact)],
  )
  // Nor must a request that an agent signed before count again. An earlier schema has no counters; they begin with the
  // time at which it is brought up to date.
  if ((await backupColumns(tx, 'agent_keys')).includes('counter'))
    await tx.query('UPDATE agent_keys SET counter = greatest(counter, $1)', [
      nowMs + maxClockSkewMs,
    ])
}
