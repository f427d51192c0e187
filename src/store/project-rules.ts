// How old values and keys of a project may be. The audit log keeps each change, so that reports of compliance hold ages
// against the rules of their time.
import { defined } from '../kernel/defined.ts'
import type { KubeObject } from '../resources/meta.ts'
import type { ProjectSpec } from '../resources/project.ts'
import { sameJson } from './canonical.ts'
import type { AuditEntry } from './session.ts'

export type ProjectRules = Pick<ProjectSpec, 'secretPolicy' | 'keyRotation'>

const rulesOf = (project: KubeObject): ProjectRules => {
  const { secretPolicy, keyRotation } = (project.spec ?? {}) as ProjectSpec
  return defined({ secretPolicy, keyRotation })
}

/** `before` undefined: it is new. */
export const withRules = (
  entry: AuditEntry,
  after: KubeObject,
  before: KubeObject | undefined,
): AuditEntry => {
  if (after.kind !== 'Project') return entry
  const rules = rulesOf(after)
  const rulesBefore = before === undefined ? {} : rulesOf(before)
  if (sameJson(rules, rulesBefore)) return entry
  const was = before === undefined ? {} : { rulesBefore }
  return { ...entry, detail: { ...entry.detail, rules, ...was } }
}
