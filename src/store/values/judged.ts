// Who may learn what is in a value: whether it has its format, what it refers to, which public key is
// its other half. The answer to a write tells it; of a value that the writer did not give in plain
// text, it is for those who may read values.
import { rolesWith } from '../../access/roles.ts'
import type { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { sameJson } from '../canonical.ts'
import { forbidden } from '../errors.ts'
import type { StoredRow, WriteSession } from '../session.ts'

/**
 * Of the value that a write leaves behind: given with it; given sealed, as whoever reads Git can; the one
 * that was there; or an older or another secret's.
 */
export type Origin = 'given' | 'sealed' | 'kept' | 'elsewhere'

export interface FoundValue {
  readonly value: Buffer
  readonly origin: Origin
}

const specOf = (row: StoredRow | undefined): SecretSpec | undefined =>
  row?.object.spec as SecretSpec | undefined

/** True where the stored value must be looked at again although none is given. */
export const changesRule = (spec: SecretSpec, current: StoredRow | undefined): boolean => {
  const before = specOf(current)
  return !sameJson([spec.format, spec.pattern], [before?.format, before?.pattern])
}

export const mayJudge = ({ actor }: WriteSession, { namespace }: ObjectRef): boolean =>
  actor.mayReadValues?.(namespace) !== false

/** `what` begins the sentence: its format, or another secret's. */
export const judgingForbidden = (ref: ObjectRef, what: string): StagelyError => {
  const roles = rolesWith('get', 'stagelysecrets/value').join(', ')
  const why = `${what} would be checked against a value that this write does not give in plain text, and the answer would tell of it: that needs the right to get stagelysecrets/value; roles that have it: ${roles}`
  return forbidden(ref, why, { why: 'Role', namespace: ref.namespace })
}

/** What the answer would tell of the value; undefined for nothing that was not told before. */
const told = (
  spec: SecretSpec,
  origin: Exclude<Origin, 'given'>,
  current: StoredRow | undefined,
): string | undefined => {
  // What it was checked for before, and still is, tells nothing.
  const stays = origin === 'kept' && (current === undefined || !changesRule(spec, current))
  if (spec.format !== undefined && !stays) return 'its format'
  // A value that comes back is the template, or the bytes, that it was.
  const becomes =
    origin === 'sealed' ||
    (origin === 'kept' && current !== undefined && specOf(current)?.references !== true)
  if (spec.references === true && becomes) return 'references'
  // A pair that was made shows its public half; what comes back in its place may be anybody's key.
  return spec.valueFrom?.generate?.keypair !== undefined && origin === 'elsewhere'
    ? 'its keypair'
    : undefined
}

/** Before the value is checked. */
export const checkMayJudge = (
  session: WriteSession,
  object: KubeObject,
  { origin, current }: { origin: Origin; current: StoredRow | undefined },
): void => {
  const ref = refOf(object)
  if (origin === 'given' || mayJudge(session, ref)) return
  const what = told(object.spec as SecretSpec, origin, current)
  if (what !== undefined) throw judgingForbidden(ref, what)
}
