// New data keys of projects: the keys are wrapped before the write that begins to use them.
import { isReason, type StagelyError } from '../../kernel/errors.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import { createDataKey, type NewDataKey } from '../../secrets/project-keys.ts'
import type { WriteSession } from '../core/write-session.ts'
import { ringOf } from '../secrets/project-ring.ts'
import type { ProjectRow } from '../state/rows.ts'
import { noteNewDataKey } from './key-status-writes.ts'

const wrapsAtOnce = 8

/** A project that gets a new data key; `keyProvider` names the key that wraps the data key. */
interface Rekeyed {
  readonly uid: string
  /** `team/name`. */
  readonly project: string
  readonly keyProvider: string | undefined
}

interface MadeKey extends Rekeyed {
  readonly ring: KeyRing
  readonly key: NewDataKey
}

/** A project whose key did not answer, with its error. */
export interface LeftOut extends Rekeyed {
  readonly error: StagelyError
}

/** New data keys. They are wrapped before the write that uses them, so that the write waits for no key service. */
export const makeDataKeys = async (
  keyRing: KeyRing,
  projects: readonly Rekeyed[],
): Promise<{ made: MadeKey[]; left: LeftOut[] }> => {
  const made: MadeKey[] = []
  const left: LeftOut[] = []
  const waiting = [...projects]
  /** Keys that did not answer: they are not asked again for the next projects. */
  const silent = new Map<string | undefined, StagelyError>()
  const make = async (project: Rekeyed): Promise<void> => {
    const { uid, keyProvider } = project
    try {
      const fault = silent.get(keyProvider)
      if (fault !== undefined) throw fault
      const ring = ringOf(keyRing, keyProvider, `project ${project.project}`)
      made.push({ ...project, ring, key: await createDataKey(ring, uid) })
    } catch (error) {
      if (!isReason(error, 'ServiceUnavailable')) throw error
      silent.set(keyProvider, error)
      left.push({ ...project, error })
    }
  }
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await make(next)
  }
  await Promise.all(Array.from({ length: wrapsAtOnce }, work))
  left.sort((a, b) => (a.project < b.project ? -1 : 1))
  return { made, left }
}

/** Makes this the project's data key, and retires the old one. */
const putDataKey = (
  session: WriteSession,
  row: ProjectRow,
  { ring, key: { id, wrapped } }: Pick<MadeKey, 'ring' | 'key'>,
): void => {
  session.changes.keys.push({
    id,
    projectUid: row.id,
    provider: ring.name,
    providerKeyId: ring.keyId,
    wrapped,
    at: session.nowMs,
  })
  session.view.projects.set(row.id, { ...row, dataKey: { id, wrapped } })
  const detail = { projectUid: row.id, project: row.name }
  session.audit(
    { kind: 'DataKey', namespace: row.namespace, name: id },
    { action: 'create', detail },
  )
}

/** Projects that were removed, or moved to another key, meanwhile are left out. */
export const replaceDataKeys = (session: WriteSession, made: readonly MadeKey[]): void => {
  for (const key of made) {
    const row = session.view.projects.get(key.uid)
    if (row === undefined || row.keyProvider !== key.keyProvider) continue
    putDataKey(session, row, key)
    noteNewDataKey(session, row)
  }
}
