// A report of a project for auditors, from what the tables know. Pure.
import type { ComplianceReport } from '../../src/audit/compliance.ts'
import { defined } from '../../src/kernel/defined.ts'
import { toTimestamp } from '../../src/kernel/clock.ts'
import { durationMs } from '../../src/resources/duration.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/kinds/typed.ts'
import type { ComplianceFacts } from '../../src/store/keys/compliance-facts.ts'
import type { ProjectRules } from '../../src/store/objects/project-rules.ts'
import { reportKeys, reportRotations } from './keys.ts'
import { periodsOf } from './rules.ts'
import { reportSecrets } from './secrets.ts'

const dayMs = 86_400_000

interface ComplianceRequest {
  readonly project: KubeObject
  /** ms */
  readonly sinceMs: number
  readonly nowMs: number
  readonly rotationMs: number
  readonly rotatesKeys: boolean
}

export const complianceReportOf = (
  facts: ComplianceFacts,
  { project, sinceMs, nowMs, rotationMs, rotatesKeys }: ComplianceRequest,
): ComplianceReport => {
  const { namespace: team, name } = refOf(project)
  const spec = specOf('Project', project) ?? {}
  const { secretPolicy, keyRotation, keyProvider } = spec
  const periods = periodsOf(facts.rules, spec)
  const usual = `${Math.round(rotationMs / dayMs)}d`
  const everyOf = ({ keyRotation: own }: ProjectRules): string => own?.every ?? usual
  const when = { sinceMs, nowMs }
  const exempt = secretPolicy?.exempt ?? []
  const limits = periods.map(({ fromMs, rules }) => ({
    fromMs,
    everyMs: durationMs(everyOf(rules)),
  }))
  const keyRules = { limits, usualMs: rotationMs, wrappedBy: keyProvider }
  const earlier = periods.slice(0, -1).flatMap(({ rules }, i) => {
    const { fromMs: endMs } = periods[i + 1]!
    if (endMs < sinceMs) return []
    const { maxAge, exempt: free = [] } = rules.secretPolicy ?? {}
    const until = toTimestamp(endMs)
    return [{ until, ...defined({ max_age: maxAge }), exempt: free, key_rotation: everyOf(rules) }]
  })
  return {
    team,
    project: name,
    since: toTimestamp(sinceMs),
    issued_at: toTimestamp(nowMs),
    rules: {
      ...defined({ max_age: secretPolicy?.maxAge, enforce: secretPolicy?.enforce }),
      exempt,
      key_rotation: everyOf(spec),
      sealing_key_rotation: usual,
      key_rotation_enforced: keyRotation?.enforce === true,
      rotation: rotatesKeys ? 'auto' : 'off',
    },
    ...(earlier.length > 0 && { rules_before: earlier }),
    keys: reportKeys(facts, keyRules, when),
    secrets: reportSecrets(facts, periods, when),
    rotations: reportRotations(facts, sinceMs),
    ...defined({ audit_since: facts.auditSince }),
  }
}
