// Measures how long a closed revision takes until it is proven on a stagelet, and what held it back: pure. Times are those of
// the controller's clock; of the machine's clock only differences count.
import { defined } from '../../../src/kernel/defined.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { engineUnavailable } from '../../../src/kinds/observation/schema.ts'
import type { RolloutStatus, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { StageletInput } from './facts.ts'
import { controllerTimeOf } from './machine-time.ts'
import { awaitingCredential } from './revision.ts'

type Times = NonNullable<RolloutStatus['times']>
type Held = NonNullable<StageletStatus['held']>

/** Reasons of conditions that say that a revision waits for somebody, not for Stagely. */
const holding = new Set([
  ...['Paused', 'AgentDrained', 'AwaitingTurn', 'KeysMissing', 'WaitingForSecrets'],
  ...['RolledBack', 'StoppedByHand', awaitingCredential],
])

const becauseOf = (
  { agent, projectExists }: StageletInput,
  { conditions }: Pick<StageletStatus, 'conditions'>,
): string | undefined => {
  const inSync = findCondition(conditions, 'SecretsInSync')
  if (!projectExists || inSync === undefined || inSync.status === 'True') return undefined
  if (inSync.status === 'Unknown')
    return inSync.reason === engineUnavailable ? engineUnavailable : 'AgentAway'
  if (agent?.spec?.paused === true) return 'AgentPaused'
  const drifted = findCondition(conditions, 'Drifted')
  if (drifted?.status === 'True' && drifted.reason === 'StoppedByHand') return drifted.reason
  const progressing = findCondition(conditions, 'Progressing')
  return [progressing, inSync].find((condition) => holding.has(condition?.reason ?? ''))?.reason
}

/** What holds or has held the newest closed revision back; undefined once the stagelet runs it. */
export const heldOf = (
  input: StageletInput,
  next: Pick<StageletStatus, 'conditions'>,
): Held | undefined => {
  const revision = input.revisions?.closed ?? 0
  const { held } = input.stagelet.status ?? {}
  if (findCondition(next.conditions, 'SecretsInSync')?.status === 'True') return undefined
  if (held?.revision === revision) return held
  const because = becauseOf(input, next)
  return because === undefined || revision === 0 ? undefined : { revision, because }
}

/** When the last of its containers was healthy; without a health check, when the gate passed. */
const healthyAtOf = (
  { recreated = [], finishedAt }: RolloutStatus,
  { services = [] }: Pick<StageletStatus, 'services'>,
): string | undefined => {
  const healthySince = new Map(services.map((service) => [service.name, service.healthySince]))
  const all = recreated.map((name) => healthySince.get(name) ?? finishedAt)
  return all.includes(undefined) ? finishedAt : ((all as string[]).toSorted().at(-1) ?? finishedAt)
}

const timesOf = (
  input: StageletInput,
  rollout: RolloutStatus,
  next: Pick<StageletStatus, 'services' | 'wantedRevision' | 'wantedSince'>,
): Times | undefined => {
  const { closedAt, revision, startedAt } = rollout
  const end = input.nowMs
  const start = Date.parse(closedAt ?? '')
  const begun = controllerTimeOf(input, startedAt)
  const healthy = controllerTimeOf(input, healthyAtOf(rollout, next))
  if (Number.isNaN(start) || begun === undefined || healthy === undefined) return undefined
  const toldAt = next.wantedRevision === revision ? Date.parse(next.wantedSince ?? '') : NaN
  // Stages follow each other: an instant of the machine that the skew has put elsewhere counts as the border.
  const border = (at: number, least: number): number => Math.max(least, Math.min(at, end))
  const first = border(Number.isNaN(toldAt) ? begun : Math.min(toldAt, begun), Math.min(start, end))
  const second = border(begun, first)
  const third = border(healthy, second)
  return {
    toldMs: Math.round(first - Math.min(start, end)),
    startedMs: Math.round(second) - Math.round(first),
    healthyMs: Math.round(third) - Math.round(second),
    provenMs: Math.round(end) - Math.round(third),
  }
}

/** The rollout with when its revision was closed, what had kept it back, and how long each stage took. */
export const withPropagation = (
  input: StageletInput,
  rollout: RolloutStatus,
  next: Pick<StageletStatus, 'services' | 'wantedRevision' | 'wantedSince'>,
): RolloutStatus => {
  if (rollout.cause !== 'NewRevision') return rollout
  const { status = {} } = input.stagelet as { status?: StageletStatus }
  const last = status.lastRollout?.startedAt === rollout.startedAt ? status.lastRollout : undefined
  const isNewest = input.revisions?.closed === rollout.revision
  const isFirst = last === undefined && status.healthyRevision === undefined
  const held = status.held?.revision === rollout.revision ? status.held.because : undefined
  const origin = defined({
    closedAt: last?.closedAt ?? (isNewest ? input.revisionClosedAt : undefined),
    heldBy: last === undefined ? (isFirst ? 'FirstRollout' : held) : last.heldBy,
  })
  const withOrigin = { ...rollout, ...origin }
  if (rollout.result !== 'Healthy') return withOrigin
  return { ...withOrigin, ...defined({ times: last?.times ?? timesOf(input, withOrigin, next) }) }
}

export type Propagated = { readonly result: string } & Partial<Pick<RolloutStatus, 'times'>>

/** The end of a rollout that the new status tells for the first time: proven with its times, failed, or held back. */
export const propagatedIn = (
  before: StageletStatus | undefined,
  { lastRollout: next }: StageletStatus,
): Propagated | undefined => {
  if (next?.cause !== 'NewRevision' || next.result === 'Progressing') return undefined
  const last = before?.lastRollout
  if (last?.startedAt === next.startedAt && last?.result === next.result) return undefined
  if (next.heldBy !== undefined) return { result: next.heldBy }
  if (next.result !== 'Healthy') return { result: next.result }
  return next.times === undefined ? undefined : { result: 'Proven', times: next.times }
}
