// A new value at the end of the one before, made as the spec says. The spec stays as it is.
import type { KubeObject, ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { conflict } from '../errors.ts'
import { requireRow, updateObject } from '../objects.ts'
import { finishRemoval } from '../removal.ts'
import type { WriteSession } from '../session.ts'
import { generatedValue } from '../values/spec-value.ts'

/** See Transaction.renewSecret. */
export const renewSecret = async (session: WriteSession, ref: ObjectRef): Promise<KubeObject> => {
  const row = requireRow(session, ref)
  const value = await generatedValue(session, row.object.spec as SecretSpec, undefined, false)
  if (value === undefined) throw conflict(ref, 'its spec does not say how a value is generated')
  return updateObject(session, row.object, {
    finish: (stored) => finishRemoval(session, stored),
    putBack: { value, origin: 'plain' },
    audit: { action: 'renew' },
  })
}
