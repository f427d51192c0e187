// Sets the stagelets that see a changed secret to out of sync, in the write that changes the secret.
import { withStatusOwner } from '../../managed-fields/status.ts'
import { defined } from '../../kernel/defined.ts'
import { findCondition, withCondition, type Condition } from '../../resources/conditions.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { statusOf } from '../../kinds/typed.ts'
import { type Layout } from '../../secrets/layout.ts'
import { isForAll, reaches } from '../../secrets/place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'

/** Where services are not known yet, a stagelet may see every scope. */
const maySee = (stagelet: KubeObject, entry: ProjectEntry, layout: Layout): boolean => {
  if (!reaches(entry, stagelet.metadata.name, layout)) return false
  if (isForAll(entry)) return true
  const { services } = statusOf('Stagelet', stagelet)
  return services === undefined || services.some((s) => s.name === entry.scope)
}

/** The stagelets of a project, ordered by name. */
export const stageletsOf = (
  session: WriteSession,
  project: { readonly namespace: string; readonly name: string },
): StoredRow[] => session.select(term.stageletsOf(project))

/** Reasons that end a wait, and that a write may end. */
const failures: ReadonlySet<string> = new Set(['RolledBack', 'RolloutFailed', 'PendingEdits'])

/** A new value makes the condition wrong. One that says what is on its way, or is not known, stays: its write would be dear. */
export const isOutdated = (condition: Condition | undefined): boolean =>
  condition?.status === 'True' || failures.has(condition?.reason ?? '')

/**
 * Sets SecretsInSync=False/NewRevision, and Ready where it is True, on each stagelet that sees one of `entries` (a secret
 * before and after its change; `all`: on each of `stagelets`). A condition that names a revision on its way stays. A client that waits right after the write
 * must see neither a stale True nor an old failure.
 */
export const resetInSync = async (
  session: WriteSession,
  project: ProjectState,
  {
    stagelets,
    entries,
  }: { stagelets: readonly StoredRow[]; entries: readonly (ProjectEntry | undefined)[] | 'all' },
): Promise<void> => {
  const present = entries === 'all' ? [] : entries.filter((entry) => entry !== undefined)
  const isSeenBy = (stagelet: KubeObject): boolean =>
    entries === 'all' || present.some((entry) => maySee(stagelet, entry, project.layout))
  for (const row of stagelets) {
    await session.pause()
    const status = statusOf('Stagelet', row.object)
    const { conditions = [] } = status
    const before = findCondition(conditions, 'SecretsInSync')
    if (!isOutdated(before)) continue
    if (!isSeenBy(row.object)) continue
    const message = `secrets changed: revision ${project.closed + 1} is on its way`
    const reset = (all: readonly Condition[], type: string): Condition[] => {
      const { observedGeneration } = findCondition(all, type) ?? {}
      const generation = defined({ observedGeneration })
      const next = { type, status: 'False' as const, reason: 'NewRevision', message, ...generation }
      return withCondition(all, next, session.now)
    }
    const isReady = findCondition(conditions, 'Ready')?.status === 'True'
    const types = ['SecretsInSync', ...(isReady ? ['Ready'] : [])]
    const changed = { ...status, conditions: types.reduce(reset, conditions) }
    const next = withStatusOwner({ ...row.object, status: changed }, row.object, session.now)
    session.put(next, row.source, row)
  }
}
