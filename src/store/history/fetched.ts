// A value that was fetched from a store elsewhere becomes an ordinary version. The spec stays as it is.
import type { KubeObject, ObjectRef } from '../../resources/meta.ts'
import { requireRow, updateObject } from '../objects.ts'
import { finishRemoval } from '../removal.ts'
import type { WriteSession } from '../session.ts'
import type { FetchedValue } from '../store.ts'

/** See Transaction.putFetched. */
export const putFetched = (
  session: WriteSession,
  ref: ObjectRef,
  { value, ...detail }: FetchedValue,
): Promise<KubeObject> => {
  const row = requireRow(session, ref)
  return updateObject(session, row.object, {
    finish: (stored) => finishRemoval(session, stored),
    putBack: { value, origin: 'elsewhere' },
    audit: { action: 'fetch', detail },
  })
}
