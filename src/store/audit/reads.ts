// Audits values that people read.
import type { ObjectRef } from '../../resources/meta.ts'
import type { WriteSession } from '../core/write-session.ts'

/** A value that a person has read. */
interface ValueRead {
  /** Uid of the StagelySecret. */
  readonly ref: ObjectRef
  readonly uid: string
  /** Name of the project. */
  readonly project: string
  readonly key: string
  readonly scope: string
  readonly version: number
}

/** How the value was read: alone, in a set as a file, for a local process, or by the controller for a Notifier, a Rotation or a SecretStore. */
export type ReadWay = 'reveal' | 'export' | 'run' | 'notify' | 'rotation' | 'store'

/**
 * Writes one row for each value, with action `reveal`. To be called in the session that opens the values
 * (`SqlStore.writeWithSession`), which are returned only after the commit: no audit, no value.
 */
export const auditReads = (
  session: WriteSession,
  way: ReadWay,
  reads: readonly ValueRead[],
): void => {
  for (const { ref, uid, project, key, scope, version } of reads)
    session.audit(ref, {
      action: 'reveal',
      detail: { way, uid, project, key, scope, version },
    })
}
