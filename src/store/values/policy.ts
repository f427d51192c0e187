// Values and keys that are older than their project allows, at the end of a write: where the project
// says so, no other new value is stored before they are replaced.
import { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { overdueKeys } from '../../resources/key-rotation.ts'
import type { ProjectSpec, ProjectStatus } from '../../resources/project.ts'
import { resourceNameOf, requireKind } from '../../resources/registry.ts'
import { ageLimitOf, type SecretPolicy } from '../../resources/secret-age.ts'
import { sinceIn } from '../../resources/secret-expiry.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { projectOf } from '../project-ref.ts'
import type { StoredRow, WriteSession } from '../session.ts'
import { term } from '../state/rows.ts'

/** A value that somebody gives with this write. */
export interface GivenValue {
  readonly project: ObjectRef
  /** Its secret had a value that was too old. */
  readonly renews: boolean
}

type Project = KubeObject<ProjectSpec, ProjectStatus>

const projectIn = (session: WriteSession, project: ObjectRef): Project | undefined =>
  session.fetch(project)?.object

export const policyOf = (session: WriteSession, project: ObjectRef): SecretPolicy | undefined =>
  projectIn(session, project)?.spec?.secretPolicy

const isTooOld = (
  { spec, status = {} }: KubeObject,
  policy: SecretPolicy,
  nowMs: number,
): boolean => {
  const { key } = spec as SecretSpec
  const limit = ageLimitOf(policy, { key, since: sinceIn(status) })
  return limit !== undefined && limit <= nowMs
}

export const noteGivenValue = (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow | undefined,
): void => {
  const project = projectOf(object)
  const { secretPolicy: policy, keyRotation } = projectIn(session, project)?.spec ?? {}
  const refuses = policy?.enforce === 'Refuse'
  if (!refuses && keyRotation?.enforce !== true) return
  const renews = refuses && current !== undefined && isTooOld(current.object, policy, session.nowMs)
  session.givenValues.push({ project, renews })
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
    ...{ kind: kind.plural, group: kind.group, name, namespace },
  })
}

/** No new value is sealed by keys that are overdue, whatever it renews. */
const settleKeys = ({ nowMs }: WriteSession, { metadata, spec, status }: Project): void => {
  const { namespace = '', name } = metadata
  // A project that enforces its rule has one: that of the controller is not asked.
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

/** Whatever the order within the write, only what it leaves behind counts. Deletions and rollbacks pass. */
export const settlePolicy = (session: WriteSession): void => {
  const checked = new Set<string>()
  const given = session.givenValues
  for (const { project: ref } of given) {
    const place = `${ref.namespace}/${ref.name}`
    const project = projectIn(session, ref)
    if (project === undefined || checked.has(place)) continue
    checked.add(place)
    settleKeys(session, project)
    const policy = project.spec?.secretPolicy
    const isOther = given.some((one) => !one.renews && sameProject(one.project, ref))
    if (policy?.enforce !== 'Refuse' || !isOther) continue
    const rows = session
      .select(term.secretsOf(ref))
      .filter(({ object }) => isTooOld(object, policy, session.nowMs))
    if (rows.length > 0) throw overdue(refOf(project), rows, policy.maxAge)
  }
}

const sameProject = (a: ObjectRef, b: ObjectRef): boolean =>
  a.namespace === b.namespace && a.name === b.name
