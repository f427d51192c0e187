// Who could read values without a request: what policies leave of the rights of roles. Pure.
import { holdsProject } from '../../../src/access/place.ts'
import { rolesWith } from '../../../src/access/roles.ts'
import type { AccessRow } from '../../../src/audit/access-report.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import type { AccessFacts } from '../../../src/store/audit/access-facts.ts'
import { cutBy, meets, without, type Span } from './spans.ts'
import {
  policySpans,
  projectSpans,
  protectionSpans,
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

/** Environments, where they are closed. */
interface Closed extends Span {
  readonly names: readonly string[]
}

/** The parts of a span, with the environments that are closed in each; two in a row differ. */
const partsOf = (span: Span, closed: readonly Closed[]): Closed[] =>
  cutBy(span, closed).reduce<Closed[]>((parts, part) => {
    const there = closed.filter((one) => meets(one, part))
    const names = [...new Set(there.flatMap((one) => one.names))].sort()
    const last = parts.at(-1)
    return last !== undefined && sameJson(last.names, names)
      ? [...parts.slice(0, -1), { ...last, to: part.to }]
      : [...parts, { ...part, names }]
  }, [])

export const readerRows = (facts: AccessFacts, kept: Kept, period: Span): AccessRow[] => {
  const policies = policySpans(facts, kept)
  const rights = rightSpans(facts, kept).filter(({ role }) => readers.includes(role))
  return projectSpans(facts, kept).flatMap((project) => {
    const protections = protectionSpans(facts, kept, project.name)
    const guards = policies.filter(({ policy }) => policy.projects.includes(project.name))
    return rights.flatMap((right): AccessRow[] => {
      const { role, narrowing, by, why, seqs } = right
      if (narrowing !== undefined && !holdsProject(narrowing, project.name)) return []
      const life = { from: Math.max(right.from, project.from), to: Math.min(right.to, project.to) }
      if (life.from >= life.to) return []
      const binding = guards.filter((guard) => !keepsRight(right, guard))
      const whole = binding.filter(({ policy }) => policy.environments === undefined)
      const guarded = binding.map(({ policy, from, to }) => ({
        from,
        to,
        names: policy.environments ?? [],
      }))
      const closed = entersProtected.includes(role)
        ? []
        : protections.map((span) => ({
            ...span,
            names: span.names.filter((name) => narrowing?.environments?.includes(name) !== true),
          }))
      return without(life, whole)
        .flatMap((span) => partsOf(span, [...guarded, ...closed]))
        .filter((span) => meets(span, period))
        .map(({ names, ...span }) => ({
          row: 'reader',
          name: why,
          projects: [project.name],
          by,
          ...defined({ environments: narrowing?.environments && [...narrowing.environments] }),
          ...(names.length > 0 && { not_in: [...names] }),
          ...spanFields(span),
          audit: seqs.map(String),
        }))
    })
  })
}
