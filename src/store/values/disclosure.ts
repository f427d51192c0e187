// What the answer to a write discloses of a value: whether the value has its format, what it refers to, which
// public key is its other half. Of a value that the writer did not give in plain text, only those who may read
// values may learn that.
import { rolesWith } from '../../access/roles.ts'
import type { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { sameJson } from '../canonical.ts'
import { forbidden } from '../errors.ts'
import type { StoredRow, WriteSession } from '../session.ts'

/**
 * Where the value that a write leaves behind comes from: the write, in plain text; the write, sealed, as whoever
 * reads Git can give it; the stored version; or elsewhere: an older version, or another secret.
 */
export type Origin = 'plain' | 'sealed' | 'stored' | 'elsewhere'

export interface FoundValue {
  readonly value: Buffer
  readonly origin: Origin
  /** When it was given first, where that is known; else it is given now. */
  readonly since?: string | undefined
}

const specOf = (row: StoredRow | undefined): SecretSpec | undefined =>
  row?.object.spec as SecretSpec | undefined

/** True where the stored value must be looked at again although none is given. */
export const changesRule = (spec: SecretSpec, current: StoredRow | undefined): boolean => {
  const before = specOf(current)
  return !sameJson([spec.format, spec.pattern], [before?.format, before?.pattern])
}

export const mayLearn = ({ actor }: WriteSession, { namespace }: ObjectRef): boolean =>
  actor.mayReadValues?.(namespace) !== false

/** `what` begins the sentence: its format, or another secret's. */
export const disclosureForbidden = (ref: ObjectRef, what: string): StagelyError => {
  const roles = rolesWith('get', 'stagelysecrets/value').join(', ')
  const why = `${what} would be checked against a value that this write does not give in plain text, and the answer would tell of it: that needs the right to get stagelysecrets/value; roles that have it: ${roles}`
  return forbidden(ref, why, { why: 'Role', namespace: ref.namespace })
}

/** What the answer would disclose of the value; undefined for nothing that was not disclosed before. */
const disclosed = (
  spec: SecretSpec,
  origin: Exclude<Origin, 'plain'>,
  current: StoredRow | undefined,
): string | undefined => {
  // What it was checked for before, and still is, tells nothing.
  const stays = origin === 'stored' && (current === undefined || !changesRule(spec, current))
  if (spec.format !== undefined && !stays) return 'its format'
  // A value that comes back is the template, or the bytes, that it was.
  const becomes =
    origin === 'sealed' ||
    (origin === 'stored' && current !== undefined && specOf(current)?.references !== true)
  if (spec.references === true && becomes) return 'references'
  // A pair that was made shows its public half; what comes back in its place may be anybody's key.
  return spec.valueFrom?.generate?.keypair !== undefined && origin === 'elsewhere'
    ? 'its keypair'
    : undefined
}

/** Of a value that will be fetched: a condition will tell whether it has the format. */
const checksFetched = (object: KubeObject, current: StoredRow | undefined): boolean => {
  const { valueFrom, format } = object.spec as SecretSpec
  if (valueFrom?.external === undefined || format === undefined) return false
  const before = specOf(current)
  return (
    changesRule(object.spec as SecretSpec, current) ||
    !sameJson(valueFrom.external, before?.valueFrom?.external)
  )
}

/** Before anything is known of the value. */
export const checkFetchedDisclosure = (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow | undefined,
): void => {
  const ref = refOf(object)
  if (checksFetched(object, current) && !mayLearn(session, ref))
    throw disclosureForbidden(ref, 'its format')
}

/** Before the value is checked. */
export const checkDisclosure = (
  session: WriteSession,
  object: KubeObject,
  { origin, current }: { origin: Origin; current: StoredRow | undefined },
): void => {
  const ref = refOf(object)
  if (origin === 'plain' || mayLearn(session, ref)) return
  const what = disclosed(object.spec as SecretSpec, origin, current)
  if (what !== undefined) throw disclosureForbidden(ref, what)
}
