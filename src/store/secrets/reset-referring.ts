// Secrets that get another value by a reference are no longer in sync, and neither are the stagelets that see them. They are
// marked when all checks have passed: there may be a thousand, and a write that is refused must not pay for them.
import { withStatusOwner } from '../../managed-fields/status.ts'
import { findCondition, withCondition } from '../../resources/conditions.ts'
import { statusOf } from '../../kinds/typed.ts'
import type { StaleReferences } from '../core/project-state.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import { isOutdated, resetInSync, stageletsOf } from './reset-in-sync.ts'

const resetSecret = (session: WriteSession, row: StoredRow): void => {
  const { conditions = [] } = statusOf('StagelySecret', row.object)
  if (!isOutdated(findCondition(conditions, 'InSync'))) return
  const changed = withCondition(
    conditions,
    {
      type: 'InSync',
      status: 'False',
      reason: 'NewReferredValue',
      message: 'a secret that it refers to has changed, which is not yet in every container',
      observedGeneration: row.object.metadata.generation ?? 1,
    },
    session.now,
  )
  const status = { ...row.object.status, conditions: changed }
  const next = withStatusOwner({ ...row.object, status }, row.object, session.now)
  session.put(next, row.source, row)
}

const resetProject = async (
  session: WriteSession,
  { project, entries, viewers }: StaleReferences,
): Promise<void> => {
  for (const { secretId } of entries) {
    await session.pause()
    for (const row of session.select(term.uid(secretId))) resetSecret(session, row)
  }
  const seenBy = entries.flatMap((entry) =>
    viewers === undefined || entry.stagelet !== undefined
      ? [entry]
      : [...viewers].map((stagelet) => ({ ...entry, stagelet })),
  )
  const stagelets = stageletsOf(session, project.ref)
  await resetInSync(session, project, { stagelets, entries: seenBy })
}

/** At the end of a write, after all checks. */
export const resetReferring = async (session: WriteSession): Promise<void> => {
  for (const stale of session.staleReferences) await resetProject(session, stale)
}
