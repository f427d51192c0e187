// The status of a project tells of a new key in the write that brings it, so that what overdue keys refuse is
// taken at once. The rest of that status is the leader's.
import { toTimestamp } from '../../kernel/clock.ts'
import type { KubeObject, ObjectRef } from '../../resources/meta.ts'
import type { ProjectStatus } from '../../resources/project.ts'
import type { WriteSession } from '../session.ts'
import type { Transaction } from '../store.ts'

type Place = Pick<ObjectRef, 'namespace' | 'name'>

const keysOf = ({ status }: KubeObject): ProjectStatus['keys'] =>
  (status as ProjectStatus | undefined)?.keys

export const noteNewDataKey = async (
  { nowMs }: WriteSession,
  tx: Transaction,
  { namespace, name }: Place,
): Promise<void> => {
  const project = await tx.get({ kind: 'Project', namespace, name })
  const keys = project && keysOf(project)
  if (keys === undefined) return
  const { rotationDueAt: _, ...rest } = keys
  const next = { ...rest, dataKeySince: toTimestamp(nowMs) }
  await tx.setStatus({ ...project!, status: { ...project!.status, keys: next } })
}

/** `names` are those of the keys that wrap from now on; '' is the master key. */
export const noteNewWrapping = async (
  { nowMs }: WriteSession,
  tx: Transaction,
  names: readonly string[],
): Promise<void> => {
  if (names.length === 0) return
  for (const project of (await tx.list('Project')).items) {
    const keys = keysOf(project)
    if (keys === undefined || !names.includes(keys.wrappedBy ?? '')) continue
    const { rotationDueAt: _, ...rest } = keys
    const next = { ...rest, wrappedSince: toTimestamp(nowMs) }
    await tx.setStatus({ ...project, status: { ...project.status, keys: next } })
  }
}
