// Values that are older than the policy of their project allows, at the end of a write: where the policy
// refuses it, no other new value is stored before they are renewed.
import { StagelyError } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { ProjectSpec } from '../../resources/project.ts'
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

export const policyOf = (session: WriteSession, project: ObjectRef): SecretPolicy | undefined =>
  (session.fetch(project)?.object.spec as ProjectSpec | undefined)?.secretPolicy

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
  const policy = policyOf(session, project)
  if (policy?.enforce !== 'Refuse') return
  const renews = current !== undefined && isTooOld(current.object, policy, session.nowMs)
  session.givenValues.push({ project, renews })
}

const mostNamed = 10

const overdue = (ref: ObjectRef, rows: readonly StoredRow[], maxAge: string): StagelyError => {
  const kind = requireKind('Project')
  const names = rows.slice(0, mostNamed).map(({ object }) => `"${object.metadata.name}"`)
  const more = rows.length > mostNamed ? ` and ${rows.length - mostNamed} more` : ''
  const which = `${names.join(', ')}${more}`
  return new StagelyError(
    'PolicyOverdue',
    `${resourceNameOf(kind)} "${ref.name}" takes no other new value: ${which} have values that are older than ${maxAge} (spec.secretPolicy); give these a new value first, or exempt their keys (spec.secretPolicy.exempt)`,
    { kind: kind.plural, group: kind.group, name: ref.name, namespace: ref.namespace },
  )
}

/** Whatever the order within the write, only what it leaves behind counts. Renewals pass, deletions and rollbacks do too. */
export const settlePolicy = (session: WriteSession): void => {
  const checked = new Set<string>()
  for (const { project, renews } of session.givenValues) {
    const place = `${project.namespace}/${project.name}`
    const policy = policyOf(session, project)
    if (renews || policy?.enforce !== 'Refuse' || checked.has(place)) continue
    checked.add(place)
    const rows = session
      .select(term.secretsOf(project))
      .filter(({ object }) => isTooOld(object, policy, session.nowMs))
    if (rows.length > 0) throw overdue(refOf(session.fetch(project)!.object), rows, policy.maxAge)
  }
}
