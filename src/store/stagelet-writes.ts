// What the store itself knows of Stagelets: which ones are out of sync the moment a secret changes.
import { withStatusOwner } from '../managed-fields/status.ts'
import { findCondition, withCondition, type Condition } from '../resources/conditions.ts'
import { keyOf, refOf, type KubeObject } from '../resources/meta.ts'
import type { StageletSpec, StageletStatus } from '../resources/stagelet.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { invalid } from './errors.ts'
import type { ProjectState } from './projects.ts'
import type { StoredRow, WriteSession } from './session.ts'
import { claimOf, term } from './state/rows.ts'

/** Where services are not known yet, a stagelet may see every scope. */
const maySee = (stagelet: KubeObject, entry: SetEntry): boolean => {
  if (entry.stagelet !== undefined && entry.stagelet !== stagelet.metadata.name) return false
  if (entry.scope === 'global') return true
  const { services } = (stagelet.status ?? {}) as StageletStatus
  return services === undefined || services.some((s) => s.name === entry.scope)
}

/** Those of a project, by name. */
export const stageletsOf = (
  session: WriteSession,
  project: { readonly namespace: string; readonly name: string },
): StoredRow[] => session.select(term.stageletsOf(project))

/** What a mended value may end. */
const failures: ReadonlySet<string> = new Set(['RolledBack', 'RolloutFailed'])

/**
 * Sets SecretsInSync=False/NewRevision, where it is True or tells of a failed rollout, on those of the project's stagelets that see one of
 * `entries` (a secret before and after its change). It happens in the writing transaction, so that
 * nobody who waits right after the write can see a stale True, or the failure of before.
 */
export const resetInSync = (
  session: WriteSession,
  project: ProjectState,
  {
    stagelets,
    entries,
  }: { stagelets: readonly StoredRow[]; entries: readonly (SetEntry | undefined)[] },
): void => {
  const seen = entries.filter((entry) => entry !== undefined)
  for (const row of stagelets) {
    const status = (row.object.status ?? {}) as StageletStatus
    const conditions = (status.conditions ?? []) as Condition[]
    const before = findCondition(conditions, 'SecretsInSync')
    if (before?.status !== 'True' && !failures.has(before?.reason ?? '')) continue
    if (!seen.some((entry) => maySee(row.object, entry))) continue
    const observed = before?.observedGeneration
    const condition = {
      type: 'SecretsInSync',
      status: 'False' as const,
      reason: 'NewRevision',
      message: `secrets changed: revision ${project.closed + 1} is on its way`,
      ...(observed === undefined ? {} : { observedGeneration: observed }),
    }
    const changed = { ...status, conditions: withCondition(conditions, condition, session.now) }
    const next = withStatusOwner({ ...row.object, status: changed }, row.object, session.now)
    session.put(next, row.source, row)
  }
}

/** One Compose project for one stagelet, as far as the specs tell. The rest is ProjectClaimed. */
export const checkClaim = (session: WriteSession, object: KubeObject): void => {
  const spec = object.spec as unknown as StageletSpec
  const { agentRef, compose } = spec
  const ref = refOf(object)
  const byName = compose.projectName !== undefined
  const rows = session
    .select(term.composeProject(ref.namespace, agentRef.name, claimOf(spec)))
    .filter((row) => row.id !== keyOf(ref))
  const other = rows[0]?.object.metadata.name
  if (other === undefined) return
  const field = byName ? 'spec.compose.projectName' : 'spec.compose.directory'
  const value = JSON.stringify(compose.projectName ?? compose.directory)
  const message = `Duplicate value: ${value}: stagelet "${other}" has this Compose project on agent "${agentRef.name}" already`
  throw invalid(ref, [{ field, reason: 'FieldValueDuplicate', message }])
}
