// The answer to a write may disclose something about a value: whether it has its format, what it refers to, and its public
// key. About a value that the writer did not give in plain text, only people who may read values may learn that.
import { isBelowProject } from '../../access/place.ts'
import { rolesWith } from '../../access/roles.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../kinds/secret/schema.ts'
import { environmentsOf, protectedIn } from '../../secrets/project-environments.ts'
import { specOf } from '../../kinds/typed.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { guardsOf, policiesOf } from '../guard/policies.ts'
import { rightsOf } from '../core/actor.ts'
import { checkReveal } from '../places/check-place.ts'
import { objectForbidden } from '../core/errors.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'

/**
 * The origin of a secret's value after a write. `plain`: the writer gives it in plain text. `sealed`: the writer gives it
 * sealed, and may have found it in Git. `stored`: the current version. `elsewhere`: an older version, or another secret.
 */
export type ValueOrigin = 'plain' | 'sealed' | 'stored' | 'elsewhere'

export interface FoundValue {
  readonly value: Buffer
  readonly origin: ValueOrigin
  /** When the value was given first; absent: now. */
  readonly since?: string | undefined
  /** Of an old version: it was plain. */
  readonly plain?: true | undefined
  /** Of an old version: this one or another one with its value was plain. */
  readonly wasPlain?: boolean
  /** Of an old version: no person has written it. */
  readonly made?: true | undefined
  /** A program of ours has drawn it: by this write, where the origin is `plain`. */
  readonly drawn?: true | undefined
}

const specOfRow = (row: StoredRow | undefined): SecretSpec | undefined =>
  row && specOf('StagelySecret', row.object)

/** True where the format or pattern changes, so that the stored value must be checked again. */
export const changesRule = (spec: SecretSpec, current: StoredRow | undefined): boolean => {
  const before = specOfRow(current)
  return !sameJson([spec.format, spec.pattern], [before?.format, before?.pattern])
}

/** Of a guarded secret only by a grant that runs, whatever the role: see noteLearnable. */
const isOpenTo = ({ actor, view, learnable }: WriteSession, secret: KubeObject): boolean =>
  actor.source !== 'api' ||
  learnable?.has(secret.metadata.uid ?? '') === true ||
  guardsOf(view, secret).length === 0

/** Where it counts, a grant stands for the right to what is protected. */
const isInReach = (session: WriteSession, secret: KubeObject): boolean => {
  const isGranted = session.learnable?.has(secret.metadata.uid ?? '') === true
  try {
    checkReveal(session, secret, { isGranted })
    return true
  } catch (error) {
    if (error instanceof StagelyError) return false
    throw error
  }
}

/** `secret` is the one whose value the answer tells of. */
export const mayLearn = (session: WriteSession, secret: KubeObject): boolean =>
  rightsOf(session.actor).mayReadValues(refOf(secret).namespace) &&
  isOpenTo(session, secret) &&
  isInReach(session, secret)

/** Any value of the project. */
export const mayLearnAll = ({ actor, view }: WriteSession, project: ObjectRef): boolean =>
  rightsOf(actor).mayReadValues(project.namespace) &&
  (actor.source !== 'api' || policiesOf(view, project).length === 0)

/** Any value of the project, wherever it counts. */
export const mayReadEverywhere = (session: WriteSession, project: ObjectRef): boolean => {
  const { namespace } = project
  const { narrowingIn, mayChangeProtected } = rightsOf(session.actor)
  const narrowing = narrowingIn(namespace)
  const isNarrowed = narrowing !== undefined && isBelowProject(narrowing)
  const guarded = protectedIn(environmentsOf(session.fetch(project)?.object))
  return (
    mayLearnAll(session, project) &&
    !isNarrowed &&
    guarded.every((name) => mayChangeProtected(namespace, name))
  )
}

/** `what` begins the sentence, such as `its format`. */
export const disclosureForbidden = (ref: ObjectRef, what: string): StagelyError => {
  const roles = rolesWith('get', 'stagelysecrets/value').join(', ')
  const why = `${what} would be checked against a value that this write does not give in plain text, and the answer would tell of it: that needs the right to get stagelysecrets/value (roles that have it: ${roles}), and in a guarded project a grant that was used (stagely access request)`
  return objectForbidden(ref, why, { why: 'Role', namespace: ref.namespace })
}

/** Names the property of the value that the answer would disclose; undefined where it discloses nothing new. */
const disclosed = (
  spec: SecretSpec,
  origin: Exclude<ValueOrigin, 'plain'>,
  current: StoredRow | undefined,
): string | undefined => {
  // The stored value was checked against the same format before: the answer tells nothing new.
  const stays = origin === 'stored' && (current === undefined || !changesRule(spec, current))
  if (spec.format !== undefined && !stays) return 'its format'
  // A stored value that was no template becomes one. An older version comes back as it was: a template, or bytes.
  const becomesTemplate =
    origin === 'sealed' ||
    (origin === 'stored' && current !== undefined && specOfRow(current)?.references !== true)
  if (spec.references === true && becomesTemplate) return 'references'
  // The public half of a generated key pair is shown; an older value in its place may be any key.
  return spec.valueFrom?.generate?.keypair !== undefined && origin === 'elsewhere'
    ? 'its keypair'
    : undefined
}

/** The value will be fetched, and a condition will tell whether it has a format that the write changes. */
const checksFetched = (object: KubeObject, current: StoredRow | undefined): boolean => {
  const spec = specOf('StagelySecret', object)
  const external = spec.valueFrom?.external
  if (external === undefined || spec.format === undefined) return false
  return changesRule(spec, current) || !sameJson(external, specOfRow(current)?.valueFrom?.external)
}

/** Called before the value is known. */
export const checkFetchedDisclosure = (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow | undefined,
): void => {
  const ref = refOf(object)
  if (checksFetched(object, current) && !mayLearn(session, object))
    throw disclosureForbidden(ref, 'its format')
}

/** Called before the value is checked. */
export const checkDisclosure = (
  session: WriteSession,
  object: KubeObject,
  {
    origin,
    current,
    before,
  }: { origin: ValueOrigin; current: StoredRow | undefined; before: ProjectEntry | undefined },
): void => {
  const ref = refOf(object)
  if (origin === 'plain' || mayLearn(session, current?.object ?? object)) return
  if (origin === 'stored' && before?.plain === true) return
  const what = disclosed(specOf('StagelySecret', object), origin, current)
  if (what !== undefined) throw disclosureForbidden(ref, what)
}
