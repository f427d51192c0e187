// The rules of a project: how old its values and keys may be. The audit log keeps each change of them, so that a report of
// compliance compares each age with the rules of its time.
import { defined } from '../../kernel/defined.ts'
import type { KubeObject } from '../../resources/meta.ts'
import type { ProjectSpec } from '../../resources/kinds/project.ts'
import { specOf } from '../../resources/typed.ts'
import { sameJson } from '../../kernel/same-json.ts'
import type { AuditEntry } from '../core/write-session.ts'

export type ProjectRules = Pick<ProjectSpec, 'secretPolicy' | 'keyRotation'>

const rulesOf = (project: KubeObject): ProjectRules => {
  const { secretPolicy, keyRotation } = specOf('Project', project) ?? {}
  return defined({ secretPolicy, keyRotation })
}

/** The audit entry, with the rules where they change. `before` is undefined for a new project. */
export const withRules = (
  entry: AuditEntry,
  after: KubeObject,
  before: KubeObject | undefined,
): AuditEntry => {
  if (after.kind !== 'Project') return entry
  const rules = rulesOf(after)
  const rulesBefore = before && rulesOf(before)
  if (sameJson(rules, rulesBefore ?? {})) return entry
  return { ...entry, detail: { ...entry.detail, rules, ...defined({ rulesBefore }) } }
}
