// What a Rotation does next: the first row of the machine whose guard holds. Pure.
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { take } from './enter.ts'
import type { RotationFacts, Next, RotationSituation } from './facts.ts'
import { guards } from './guards.ts'
import { always, decisions, stateOf, underWay, type Guard, type Then } from './machine.ts'
import { withStarts } from './proving.ts'

type Rows = Readonly<Partial<Record<Guard, Then>>>

export interface Decision {
  readonly guard: Guard
  readonly next: Next
}

const firstOf = (rows: Rows, situation: RotationSituation): Decision | undefined => {
  for (const [name, then] of Object.entries(rows)) {
    const guard = name as Guard
    const observed = guards[guard](situation)
    if (observed === undefined) continue
    return { guard, next: take(then, situation.status, situation.facts.nowMs, observed) }
  }
  return undefined
}

/** Its project is there again. */
const withProject = (status: RotationStatus): RotationStatus => {
  const { blockedBy, ...rest } = status
  return blockedBy?.some(({ reason }) => reason === 'ProjectMissing') === true ? rest : status
}

/** The decision, and the guard that led to it. */
export const decisionOf = (
  spec: RotationSpec,
  given: RotationStatus,
  facts: RotationFacts,
): Decision => {
  const state = stateOf(given)
  const asked = facts.hasProject ? firstOf(always, { spec, status: given, facts }) : undefined
  if (asked !== undefined) return asked
  const isIdle = state === 'Idle'
  const status = facts.hasProject && !isIdle ? withProject(given) : given
  const first = isIdle ? undefined : firstOf(underWay, { spec, status, facts })
  if (first !== undefined) return first
  const isProving = state === 'Proving' || state === 'ProvingBack'
  const current = isProving ? withStarts(status, facts) : status
  const next = firstOf(decisions[state], { spec, status: current, facts })
  if (next === undefined) throw new Error(`no decision in state ${state}`)
  return next
}

export const decideRotation = (
  spec: RotationSpec,
  status: RotationStatus,
  facts: RotationFacts,
): Next => decisionOf(spec, status, facts).next
