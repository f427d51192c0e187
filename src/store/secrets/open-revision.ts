// The open revision of a project: when it must close.
import type { ProjectRow } from '../state/rows.ts'

/** A change set closes this time after its last write, */
export const quietMs = 300
/** and at the latest this time after its first one. */
const longestMs = 2_000
const longestHoldMs = 60_000
/** Where a project keeps, among its change sets, until when the writes of others wait. No change set has this id. */
export const forOthers = ''

type OpenRevision = Pick<ProjectRow, 'openedAt' | 'lastWriteAt' | 'changeSets'>

/** When the open revision must close (ms); undefined when nothing is pending. */
export const closesAt = ({
  openedAt,
  lastWriteAt,
  changeSets,
}: OpenRevision): number | undefined => {
  if (openedAt === undefined) return undefined
  const { [forOthers]: latest = Infinity, ...holding } = changeSets
  const holds = Object.values(holding)
  if (holds.length > 0) return Math.min(Math.max(...holds), openedAt + longestHoldMs, latest)
  return Math.min((lastWriteAt ?? openedAt) + quietMs, openedAt + longestMs)
}

/** The clock of the replica that opened a revision may be ahead of this clock by so much (ms). A revision from further ahead closes at once. */
const aheadMs = 5_000

export const isDue = (row: OpenRevision, now: number): boolean =>
  (closesAt(row) ?? Infinity) <= now || (row.openedAt ?? -Infinity) > now + aheadMs
