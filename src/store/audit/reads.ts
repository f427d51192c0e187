// The audit of values that leave the store towards a person.
import type { ObjectRef } from '../../resources/meta.ts'
import type { WriteSession } from '../session.ts'

/** One value that was read: the secret, and which version of it. */
export interface ValueRead {
  /** Of the StagelySecret. */
  readonly ref: ObjectRef
  readonly uid: string
  /** Name of the project. */
  readonly project: string
  readonly key: string
  readonly scope: string
  readonly version: number
}

/** How it was read: one by one, a whole set as a file, for a local process, or by the controller for a Notifier, a Rotation or a SecretStore. */
export type ReadWay = 'reveal' | 'export' | 'run' | 'notify' | 'rotation' | 'store'

/**
 * Notes one row for each value, with action `reveal`. Call it in the session that opens the values
 * (`SqlStore.writeWithSession`) and let them out only after the commit: no audit, no value.
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
