// Checked at the end of a write: where a project enforces its policy, no other new value is stored before values and keys
// that are too old are replaced.
import { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { overdueKeys } from '../../kinds/project/key-rotation.ts'
import { resourceNameOf } from '../../resources/kind-names.ts'
import { requireKind } from '../../kinds/index.ts'
import { ageLimitOf, type SecretPolicy } from '../../kinds/secret/age.ts'
import { sinceIn } from '../../kinds/secret/expiry-status.ts'
import { specOf, ofKind, type Typed } from '../../kinds/typed.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'

const projectIn = (session: WriteSession, ref: ObjectRef): Typed<'Project'> | undefined => {
  const row = session.fetch(ref)
  return row && ofKind('Project', row.object)
}

export const policyOf = (session: WriteSession, project: ObjectRef): SecretPolicy | undefined =>
  projectIn(session, project)?.spec?.secretPolicy

const isTooOld = (secret: KubeObject, policy: SecretPolicy, nowMs: number): boolean => {
  const { key } = specOf('StagelySecret', secret)
  const limit = ageLimitOf(policy, { key, since: sinceIn(secret.status ?? {}) })
  return limit !== undefined && limit <= nowMs
}

export const noteNewValue = (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow | undefined,
): void => {
  const project = projectRefOf(object)
  const { secretPolicy: policy, keyRotation } = projectIn(session, project)?.spec ?? {}
  const refuses = policy?.enforce === 'Refuse'
  if (!refuses && keyRotation?.enforce !== true) return
  const renews = refuses && current !== undefined && isTooOld(current.object, policy, session.nowMs)
  session.newValues.push({ project, renews })
}

/** `why` ends the sentence. */
const refusal = (
  reason: 'PolicyOverdue' | 'KeyRotationOverdue',
  ref: ObjectRef,
  why: string,
): StagelyError => {
  const kind = requireKind('Project')
  const { name, namespace } = ref
  return new StagelyError(reason, `${resourceNameOf(kind)} "${name}" takes no ${why}`, {
    kind: kind.plural,
    group: kind.group,
    name,
    namespace,
  })
}

/** Overdue keys seal no new value, not even one that renews an old value. */
const checkKeys = ({ nowMs }: WriteSession, { metadata, spec, status }: Typed<'Project'>): void => {
  const { namespace = '', name } = metadata
  // A project that enforces a rule has its own: the controller's default does not count.
  const rule = { namespace, name, own: spec?.keyRotation, usualMs: 0 }
  const why = overdueKeys(rule, status?.keys, nowMs)
  if (why === undefined) return
  const ref = { kind: 'Project', namespace, name }
  throw refusal('KeyRotationOverdue', ref, `new value (spec.keyRotation): ${why}`)
}

const mostNamed = 10

const overdue = (ref: ObjectRef, rows: readonly StoredRow[], maxAge: string): StagelyError => {
  const names = rows.slice(0, mostNamed).map(({ object }) => `"${object.metadata.name}"`)
  const more = rows.length > mostNamed ? ` and ${rows.length - mostNamed} more` : ''
  const which = `${names.join(', ')}${more}`
  return refusal(
    'PolicyOverdue',
    ref,
    `other new value: ${which} have values that are older than ${maxAge} (spec.secretPolicy); give these a new value first, or exempt their keys (spec.secretPolicy.exempt)`,
  )
}

/** At the end of a write: its order does not matter, only its result. Deletions and rollbacks pass. */
export const checkPolicies = (session: WriteSession): void => {
  const checked = new Set<string>()
  const values = session.newValues
  for (const { project: ref } of values) {
    const place = `${ref.namespace}/${ref.name}`
    const project = projectIn(session, ref)
    if (project === undefined || checked.has(place)) continue
    checked.add(place)
    checkKeys(session, project)
    const policy = project.spec?.secretPolicy
    const isOther = values.some((value) => !value.renews && sameProject(value.project, ref))
    if (policy?.enforce !== 'Refuse' || !isOther) continue
    const rows = session
      .select(term.secretsOf(ref))
      .filter(({ object }) => isTooOld(object, policy, session.nowMs))
    if (rows.length > 0) throw overdue(refOf(project), rows, policy.maxAge)
  }
}

const sameProject = (a: ObjectRef, b: ObjectRef): boolean =>
  a.namespace === b.namespace && a.name === b.name
