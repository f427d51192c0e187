// What a Rotation writes: values of its outputs, credentials that are under way, and the end of old ones.
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { conflict } from '../errors.ts'
import { requireRow, updateObject } from '../objects.ts'
import { finishRemoval } from '../removal.ts'
import type { StoredRow, WriteSession } from '../session.ts'

/** Name of the Rotation that makes the value of `object`. */
export const rotatedBy = ({ spec = {} }: Pick<KubeObject, 'spec'>): string | undefined =>
  (spec as Partial<SecretSpec>).valueFrom?.rotation?.name

const requireOutput = (session: WriteSession, ref: ObjectRef, rotation: string): StoredRow => {
  const row = requireRow(session, ref)
  if (rotatedBy(row.object) === rotation) return row
  throw conflict(ref, `its spec does not say valueFrom.rotation of "${rotation}"`)
}

/** See Transaction.setOutput. */
export const setOutput = async (
  session: WriteSession,
  ref: ObjectRef,
  { rotation, value }: { readonly rotation: KubeObject; readonly value: string },
): Promise<KubeObject> => {
  const { name } = refOf(rotation)
  const row = requireOutput(session, ref, name)
  return updateObject(session, row.object, {
    finish: (stored) => finishRemoval(session, stored),
    putBack: { value: Buffer.from(value), origin: 'plain' },
    audit: { action: 'rotate', detail: { rotation: name } },
  })
}
