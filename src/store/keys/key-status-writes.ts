// Notes a new key in the status of its project, in the write that makes it: values that were refused for an overdue key are
// then accepted at once. The leader writes the rest of that status.
import { toTimestamp } from '../../kernel/clock.ts'
import type { Place } from '../../resources/meta.ts'
import { statusOf } from '../../resources/typed.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Transaction } from '../store.ts'

export const noteNewDataKey = async (
  { nowMs }: WriteSession,
  tx: Transaction,
  { namespace, name }: Place,
): Promise<void> => {
  const project = await tx.get({ kind: 'Project', namespace, name })
  const keys = project && statusOf('Project', project).keys
  if (keys === undefined) return
  const { rotationDueAt: _, ...rest } = keys
  const next = { ...rest, dataKeySince: toTimestamp(nowMs) }
  await tx.setStatus({ ...project!, status: { ...project!.status, keys: next } })
}

/** `names` are the keys that wrap from now on; '' is the master key. */
export const noteNewWrapping = async (
  { nowMs }: WriteSession,
  tx: Transaction,
  names: readonly string[],
): Promise<void> => {
  if (names.length === 0) return
  for (const project of (await tx.list('Project')).items) {
    const { keys } = statusOf('Project', project)
    if (keys === undefined || !names.includes(keys.wrappedBy ?? '')) continue
    const { rotationDueAt: _, ...rest } = keys
    const next = { ...rest, wrappedSince: toTimestamp(nowMs) }
    await tx.setStatus({ ...project, status: { ...project.status, keys: next } })
  }
}
