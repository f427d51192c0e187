// Audits values that people read.
import { defined } from '../../kernel/defined.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import type { ReadWay } from '../core/history.ts'
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
  /** Name of the AccessRequest by which it was read. */
  readonly request?: string | undefined
}

/**
 * Writes one row for each value, with action `reveal`, or `look for` where nobody sees the value. To be called in the session that opens the values
 * (`Store.writeWithSession`), which are returned only after the commit: no audit, no value.
 */
export const auditReads = (
  session: WriteSession,
  way: ReadWay,
  reads: readonly ValueRead[],
): void => {
  for (const { ref, uid, project, key, scope, version, request } of reads)
    session.audit(ref, {
      action: way === 'where' ? 'look for' : 'reveal',
      detail: { way, uid, project, key, scope, version, ...defined({ request }) },
    })
}
