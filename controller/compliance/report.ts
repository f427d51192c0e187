// A report of a project for auditors, from what the tables know. Pure.
import type { ComplianceReport } from '../../src/audit/compliance.ts'
import { defined } from '../../src/kernel/defined.ts'
import { toTimestamp } from '../../src/kernel/clock.ts'
import { durationMs } from '../../src/resources/duration.ts'
import { refOf, type KubeObject } from '../../src/resources/meta.ts'
import type { ProjectSpec } from '../../src/resources/project.ts'
import type { ComplianceFacts } from '../../src/store/compliance/facts.ts'
import { reportKeys, reportRotations } from './keys.ts'
import { reportSecrets } from './secrets.ts'

const dayMs = 86_400_000

export interface Asked {
  readonly project: KubeObject
  /** ms */
  readonly sinceMs: number
  readonly nowMs: number
  readonly rotationMs: number
  readonly rotatesKeys: boolean
}

/** Ages are held against the rules of now: those of before are not kept. */
export const reportOf = (
  facts: ComplianceFacts,
  { project, sinceMs, nowMs, rotationMs, rotatesKeys }: Asked,
): ComplianceReport => {
  const { namespace: team, name } = refOf(project)
  const { secretPolicy, keyRotation, keyProvider } = (project.spec ?? {}) as ProjectSpec
  const usual = `${Math.round(rotationMs / dayMs)}d`
  const every = keyRotation?.every ?? usual
  const when = { sinceMs, nowMs }
  const exempt = secretPolicy?.exempt ?? []
  const maxAgeMs = secretPolicy && durationMs(secretPolicy.maxAge)
  const keyRules = { everyMs: durationMs(every), usualMs: rotationMs, wrappedBy: keyProvider }
  return {
    ...{ team, project: name, since: toTimestamp(sinceMs), issued_at: toTimestamp(nowMs) },
    rules: {
      ...defined({ max_age: secretPolicy?.maxAge, enforce: secretPolicy?.enforce }),
      ...{ exempt, key_rotation: every, sealing_key_rotation: usual },
      key_rotation_enforced: keyRotation?.enforce === true,
      rotation: rotatesKeys ? 'auto' : 'off',
    },
    keys: reportKeys(facts, keyRules, when),
    secrets: reportSecrets(facts, { maxAgeMs, exempt }, when),
    rotations: reportRotations(facts, sinceMs),
    ...defined({ audit_since: facts.auditSince }),
  }
}
