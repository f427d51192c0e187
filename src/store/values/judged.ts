// Who may learn whether a value has its format. The answer to a write tells it; of a value that the
// writer did not give, it is for those who may read values.
import { rolesWith } from '../../access/roles.ts'
import type { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { sameJson } from '../canonical.ts'
import { forbidden } from '../errors.ts'
import type { StoredRow, WriteSession } from '../session.ts'

/** Of the value that a write leaves behind: given with it, the one that was there, or an older or another secret's. */
export type Origin = 'given' | 'kept' | 'elsewhere'

export interface FoundValue {
  readonly value: Buffer
  readonly origin: Origin
}

/** True where the stored value must be looked at again although none is given. */
export const changesRule = (spec: SecretSpec, current: StoredRow | undefined): boolean => {
  const before = current?.object.spec as SecretSpec | undefined
  return !sameJson([spec.format, spec.pattern], [before?.format, before?.pattern])
}

export const mayJudge = ({ actor }: WriteSession, { namespace }: ObjectRef): boolean =>
  actor.mayReadValues?.(namespace) !== false

/** `whose` begins the sentence: its format, or another secret's. */
export const judgingForbidden = (ref: ObjectRef, whose: string): StagelyError => {
  const roles = rolesWith('get', 'stagelysecrets/value').join(', ')
  const why = `${whose} would be checked against a value that this write does not give, and the answer would tell of it: that needs the right to get stagelysecrets/value; roles that have it: ${roles}`
  return forbidden(ref, why, { why: 'Role', namespace: ref.namespace })
}

/** Before the value is checked: what it was checked for before, and still is, tells nothing. */
export const checkMayJudge = (
  session: WriteSession,
  object: KubeObject,
  { origin, current }: { origin: Origin; current: StoredRow | undefined },
): void => {
  const spec = object.spec as SecretSpec
  const ref = refOf(object)
  if (spec.format === undefined || origin === 'given' || mayJudge(session, ref)) return
  if (origin === 'kept' && (current === undefined || !changesRule(spec, current))) return
  throw judgingForbidden(ref, 'its format')
}
