// A database may lose commits that a running controller has in its state: a standby was promoted too early, or a disk was set
// back. Such a database counts as restored: versions of the lost commits must not be taken for those of new commits.
import type { Clock } from '../../kernel/clock.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/log.ts'
import { hasCommit } from './follow.ts'
import type { Sql } from '../drivers/sql.ts'
import type { StoreState } from '../state/state.ts'
import { raiseCounters } from './raise-counters.ts'

interface Found {
  rv: number
  epoch: number
  compacted_rv: number
  tip_at: number | null
  is_there: boolean
}

/** Of several controllers that find the loss, the first one notes it. */
export const noteLoss = (
  sql: Sql,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  state: Pick<StoreState, 'rv' | 'epoch' | 'tip'>,
): Promise<void> =>
  sql.transaction(async (tx) => {
    const [found] = await tx.query<Found>(
      `SELECT rv, epoch, compacted_rv, tip_at, ${hasCommit(1)} AS is_there FROM counters FOR UPDATE`,
      [state.tip?.id ?? null],
    )
    if (found === undefined || found.epoch !== state.epoch || found.is_there) return
    const nowMs = clock.now()
    const epoch = Math.max(found.epoch, Math.floor(nowMs / 1000)) + 1
    const fact = {
      takenAt: toTimestamp(found.tip_at ?? nowMs),
      lost: true,
      version: found.rv,
      knownVersion: state.rv,
      epoch,
    }
    await raiseCounters(tx, { above: Math.max(found.rv, state.rv), epoch, nowMs, fact })
    log.error(
      { version: found.rv, knownVersion: state.rv, epoch },
      'the database has lost commits that were acknowledged: it counts as restored',
    )
  })
