// New values that are made by the controller: generated anew, made by a Rotation, or fetched from a store elsewhere. The
// spec of the secret stays as it is.
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { specOf } from '../../kinds/typed.ts'
import { objectConflict } from '../core/errors.ts'
import { updateInSession } from '../objects/objects.ts'
import type { AuditEntry, WriteSession } from '../core/write-session.ts'
import type { FetchedValue } from '../core/sets.ts'
import type { FoundValue } from '../secrets/disclosure.ts'
import { generatedValue } from '../secrets/find-value.ts'

const putValue = (
  session: WriteSession,
  ref: ObjectRef,
  putBack: FoundValue,
  audit: AuditEntry,
): Promise<KubeObject> => updateInSession(session, session.require(ref).object, { putBack, audit })

/** See Transaction.renewSecret. */
export const renewSecret = async (session: WriteSession, ref: ObjectRef): Promise<KubeObject> => {
  const spec = specOf('StagelySecret', session.require(ref).object)
  const value = await generatedValue(session, spec, undefined, false)
  if (value === undefined)
    throw objectConflict(ref, 'its spec does not say how a value is generated')
  return putValue(session, ref, { value, origin: 'plain', drawn: true }, { action: 'renew' })
}

/** Name of the Rotation that makes the value of the secret. */
export const rotatedBy = (secret: KubeObject): string | undefined =>
  specOf('StagelySecret', secret).valueFrom?.rotation?.name

/** See Transaction.setOutput. */
export const setOutput = async (
  session: WriteSession,
  ref: ObjectRef,
  { rotation, value }: { readonly rotation: KubeObject; readonly value: string },
): Promise<KubeObject> => {
  const { name } = refOf(rotation)
  if (rotatedBy(session.require(ref).object) !== name)
    throw objectConflict(ref, `its spec does not say valueFrom.rotation of "${name}"`)
  const audit = { action: 'rotate', detail: { rotation: name } }
  // A webhook may answer with what somebody has written.
  const drawn = specOf('Rotation', rotation).rotator.webhook === undefined || undefined
  return putValue(session, ref, { value: Buffer.from(value), origin: 'plain', drawn }, audit)
}

/** See Transaction.putFetched. */
export const putFetched = (
  session: WriteSession,
  ref: ObjectRef,
  { value, ...detail }: FetchedValue,
): Promise<KubeObject> =>
  putValue(session, ref, { value, origin: 'elsewhere' }, { action: 'fetch', detail })
