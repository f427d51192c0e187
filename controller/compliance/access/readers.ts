// Who could read values without a request: what policies leave of the rights of roles. Pure.
import { holdsProject } from '../../../src/access/place.ts'
import { rolesWith } from '../../../src/access/roles.ts'
import type { AccessRow } from '../../../src/audit/access-report.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { environmentsOf, protectedIn } from '../../../src/resources/project-environments.ts'
import type { AccessFacts } from '../../../src/store/audit/access-facts.ts'
import { meets, without, type Span } from './spans.ts'
import {
  policySpans,
  projectSpans,
  rightSpans,
  type Kept,
  type PolicySpan,
  type RightSpan,
} from './timeline.ts'
import { spanFields } from './words.ts'

const readers: readonly string[] = rolesWith('get', 'stagelysecrets/value')
const entersProtected: readonly string[] = rolesWith('update', 'environments/protected')

/** A token that a policy names reads on, where it is older than the policy. */
const keepsRight = ({ machine, from }: RightSpan, { policy, from: since }: PolicySpan): boolean =>
  machine !== undefined && policy.machines?.includes(machine) === true && from <= since

/** Environments that are protected now, for who does not enter them. */
const closedTo = (
  { role, narrowing }: RightSpan,
  project: string,
  projects: readonly KubeObject[],
): string[] =>
  entersProtected.includes(role)
    ? []
    : protectedIn(
        environmentsOf(projects.find(({ metadata }) => metadata.name === project)),
      ).filter((name) => narrowing?.environments?.includes(name) !== true)

export const readerRows = (facts: AccessFacts, kept: Kept, period: Span): AccessRow[] => {
  const policies = policySpans(facts, kept)
  const rights = rightSpans(facts, kept).filter(({ role }) => readers.includes(role))
  return projectSpans(facts, kept).flatMap((project) => {
    const guards = policies.filter(({ policy }) => policy.projects.includes(project.name))
    return rights.flatMap((right): AccessRow[] => {
      const { narrowing, by, why, seqs } = right
      if (narrowing !== undefined && !holdsProject(narrowing, project.name)) return []
      const life = { from: Math.max(right.from, project.from), to: Math.min(right.to, project.to) }
      if (life.from >= life.to) return []
      const binding = guards.filter((guard) => !keepsRight(right, guard))
      const whole = binding.filter(({ policy }) => policy.environments === undefined)
      return without(life, whole)
        .filter((span) => meets(span, period))
        .map((span) => {
          const parts = binding.filter((guard) => meets(guard, span) && meets(guard, period))
          const guarded = parts.flatMap(({ policy }) => policy.environments ?? [])
          const closed = closedTo(right, project.name, kept.projects)
          const notIn = [...new Set([...guarded, ...closed])]
          return {
            row: 'reader',
            name: why,
            projects: [project.name],
            by,
            ...defined({ environments: narrowing?.environments && [...narrowing.environments] }),
            ...(notIn.length > 0 && { not_in: notIn }),
            ...spanFields(span),
            audit: seqs.map(String),
          }
        })
    })
  })
}
