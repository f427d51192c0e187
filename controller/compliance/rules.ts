// Which rules a project had when, from the audit log. Pure.
import type { ProjectSpec } from '../../src/kinds/project/schema.ts'
import type { AuditFact } from '../../src/store/keys/compliance-facts.ts'
import type { ProjectRules } from '../../src/store/objects/project-rules.ts'

/** Up to the next one. */
export interface Period {
  /** ms */
  readonly fromMs: number
  readonly rules: ProjectRules
}

const rulesIn = ({ detail }: AuditFact, name: 'rules' | 'rulesBefore'): ProjectRules | undefined =>
  detail[name] as ProjectRules | undefined

/** In order, the last one with the rules of now. The time before the first change has the rules that it ended. */
export const periodsOf = (
  changes: readonly AuditFact[],
  { secretPolicy, keyRotation }: ProjectSpec,
): Period[] => {
  const periods = changes.map((row) => ({
    fromMs: Date.parse(row.at),
    rules: rulesIn(row, 'rules') ?? {},
  }))
  const ended = changes[0] && rulesIn(changes[0], 'rulesBefore')
  const all = ended === undefined ? periods : [{ fromMs: 0, rules: ended }, ...periods]
  const earlier = all.slice(0, -1)
  const fromMs = all.at(-1)?.fromMs ?? 0
  return [...earlier, { fromMs, rules: { secretPolicy, keyRotation } }].map((period, i) =>
    i === 0 ? { ...period, fromMs: -Infinity } : period,
  )
}
