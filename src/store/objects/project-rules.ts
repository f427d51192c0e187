// The rules of a project: how old its values and keys may be, which environments are protected, and who reads them
// (AccessPolicy). The audit log keeps each change of them, so that a report compares what was done with the rules of its time.
import { defined } from '../../kernel/defined.ts'
import type { KubeObject } from '../../resources/meta.ts'
import type { ProjectSpec } from '../../kinds/project/schema.ts'
import { environmentsOf, protectedIn } from '../../secrets/project-environments.ts'
import { specOf } from '../../kinds/typed.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { policyDetail } from './access-policies.ts'
import type { AuditEntry } from '../core/write-session.ts'

export type ProjectRules = Pick<ProjectSpec, 'secretPolicy' | 'keyRotation'>

const rulesOf = (project: KubeObject): ProjectRules => {
  const { secretPolicy, keyRotation } = specOf('Project', project) ?? {}
  return defined({ secretPolicy, keyRotation })
}

/** The audit entry, with the rules where they change. `before` is undefined for a new object. */
export const withRules = (
  entry: AuditEntry,
  after: KubeObject,
  before: KubeObject | undefined,
): AuditEntry => {
  if (after.kind === 'AccessPolicy')
    return { ...entry, detail: { ...entry.detail, ...policyDetail(after) } }
  if (after.kind !== 'Project') return entry
  const rules = rulesOf(after)
  const rulesBefore = before && rulesOf(before)
  const [closed, closedBefore] = [after, before].map((one) => protectedIn(environmentsOf(one)))
  const detail = {
    ...(!sameJson(rules, rulesBefore ?? {}) && { rules, ...defined({ rulesBefore }) }),
    ...(!sameJson(closed, closedBefore) && { protected: closed, protectedBefore: closedBefore }),
  }
  return Object.keys(detail).length === 0
    ? entry
    : { ...entry, detail: { ...entry.detail, ...detail } }
}
