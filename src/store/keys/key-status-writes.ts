// Writes a new key into the status of its project, in the write that makes the key: values that were refused for an overdue
// key are then accepted at once. The leader writes the rest of that status.
import { toTimestamp } from '../../kernel/clock.ts'
import type { Place } from '../../resources/meta.ts'
import { statusOf } from '../../kinds/typed.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { rowsOfKind } from '../objects/reads.ts'
import { setStatus } from '../objects/status-writes.ts'

const keysOf = ({ object }: StoredRow) => statusOf('Project', object).keys

/** The key is not due any more. */
const noteKey = (
  session: WriteSession,
  { object }: StoredRow,
  change: Partial<NonNullable<ReturnType<typeof keysOf>>>,
): void => {
  const { rotationDueAt: _, ...rest } = statusOf('Project', object).keys ?? {}
  setStatus(session, { ...object, status: { ...object.status, keys: { ...rest, ...change } } })
}

export const noteNewDataKey = (session: WriteSession, { namespace, name }: Place): void => {
  const project = session.fetch({ kind: 'Project', namespace, name })
  if (project === undefined || keysOf(project) === undefined) return
  noteKey(session, project, { dataKeySince: toTimestamp(session.nowMs) })
}

/** `names` are the keys that wrap from now on; '' is the master key. */
export const noteNewWrapping = async (
  session: WriteSession,
  names: readonly string[],
): Promise<void> => {
  if (names.length === 0) return
  for (const project of rowsOfKind(session.view, 'Project', {})) {
    const keys = keysOf(project)
    if (keys !== undefined && names.includes(keys.wrappedBy ?? ''))
      noteKey(session, project, { wrappedSince: toTimestamp(session.nowMs) })
    await session.pause()
  }
}
