// What a new status says has happened to a stagelet: rollouts, drift, and commands that people ran. Pure.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import {
  describeManualRun,
  authorAsTold,
  runAsTold,
  type Quarantined,
} from '../../../src/kinds/observation/schema.ts'
import type { RolloutStatus, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import type {
  Blame,
  DriftRecord,
  ActivityEntry,
  RolledService,
  RolloutRecord,
} from '../../../src/store/core/activity-entry.ts'
import type { StageletInput } from './facts.ts'
import { controllerTimeOf } from './machine-time.ts'
import { isUntoldHealing } from './drift.ts'
import { healthySetOf } from './revision.ts'
import { blameOf } from './suspect-values.ts'
import { lastKnown } from './unseen.ts'

const mostSaid = 4096

/** A time of the agent’s machine in the controller’s time. */
const fixedBy =
  (input: StageletInput) =>
  (at: string | undefined): string | undefined => {
    const ms = controllerTimeOf(input, at)
    return ms === undefined ? undefined : toFineTimestamp(ms)
  }

const whatOf = ({ recreated = [], cascaded = [] }: RolloutStatus) => {
  const made = new Set(recreated)
  const along = new Set(cascaded)
  return (name: string) => {
    if (!along.has(name)) return made.has(name) ? 'recreated' : 'untouched'
    return made.has(name) ? 'cascaded' : 'restarted'
  }
}

const servicesOf = (
  input: StageletInput,
  rollout: RolloutStatus,
  { services = [] }: StageletStatus,
): RolledService[] => {
  const fixed = fixedBy(input)
  const what = whatOf(rollout)
  return services.map(({ name, since, healthySince }) => ({
    name,
    what: what(name),
    ...defined({ since: fixed(since), healthyAt: fixed(healthySince) }),
  }))
}

/** What failed in the rollout, or before it, where it goes back. */
const failedIn = (
  { observation }: StageletInput,
  { revision, result }: RolloutStatus,
): Quarantined | undefined =>
  observation?.quarantine?.findLast(
    (rollout) =>
      rollout.revision === revision || (result === 'RolledBack' && rollout.revision > revision),
  )

const blameIn = (input: StageletInput, rollout: RolloutStatus): Blame | undefined => {
  const { stagelet, head, authors } = input
  if (rollout.result !== 'Failed' && rollout.result !== 'RolledBack') return undefined
  const failed = failedIn(input, rollout)
  const healthy = healthySetOf(input)
  if (failed !== undefined && head !== undefined && healthy !== undefined)
    return blameOf(stagelet.metadata.name, failed, { head, healthy, authors })
  const service = failed?.service ?? rollout.service
  return service === undefined ? undefined : { service, keys: [], authors: [] }
}

type Ended = Omit<RolloutRecord, 'services' | 'toldAt'>

const endOf = (input: StageletInput, rollout: RolloutStatus): Ended => {
  const fixed = fixedBy(input)
  return {
    revision: rollout.revision,
    cause: rollout.cause ?? 'NewRevision',
    result: rollout.result,
    ...defined({
      startedAt: fixed(rollout.startedAt),
      finishedAt: fixed(rollout.finishedAt),
      blame: blameIn(input, rollout),
      message: rollout.message?.slice(0, mostSaid),
      closedAt: rollout.closedAt,
      heldBy: rollout.heldBy,
      times: rollout.times,
    }),
  }
}

/** When the agent was told; where it heard of a closed revision before this was noted, when it began. */
const toldAtOf = (
  { wantedRevision, wantedSince }: StageletStatus,
  { revision, startedAt, cause }: Ended,
): string | undefined => {
  if (cause !== 'NewRevision' || wantedRevision !== revision) return undefined
  if (wantedSince === undefined) return undefined
  return startedAt !== undefined && startedAt < wantedSince ? startedAt : wantedSince
}

/** The rollout before this one, where its end was not reported, or not whose values it is put down to. */
const endOfFormer = (
  input: StageletInput,
  former: RolloutStatus,
  next: RolloutStatus,
): Ended | undefined => {
  if (former.result !== 'Progressing' && former.result !== 'Failed') return undefined
  const failed = failedIn(input, former)
  const hasFailed = former.result === 'Failed' || failed !== undefined
  const finishedAt = former.finishedAt ?? next.startedAt
  if (!hasFailed) {
    const fixed = fixedBy(input)
    const ended = endOf(input, former)
    return { ...ended, result: 'Superseded', ...defined({ finishedAt: fixed(finishedAt) }) }
  }
  const message = former.message ?? failed?.message
  return endOf(input, { ...former, result: 'Failed', ...defined({ finishedAt, message }) })
}

const rolloutsOf = (input: StageletInput, next: StageletStatus): RolloutEntry[] => {
  const former = input.stagelet.status?.lastRollout
  const rollout = next.lastRollout
  if (rollout === undefined || sameJson(former ?? {}, rollout)) return []
  const entryOf = (of: RolloutStatus, detail: RolloutRecord): RolloutEntry => ({
    mark: `rollout ${of.startedAt ?? of.finishedAt ?? ''}`,
    kind: 'rollout',
    detail,
    ...(detail.cause === 'NewRevision' && { projectUid: input.project?.uid }),
  })
  const isOther = former !== undefined && former.startedAt !== rollout.startedAt
  const before = isOther ? endOfFormer(input, former, rollout) : undefined
  const ended = endOf(input, rollout)
  const people = ended.cause === 'Drift' ? handsOf(input) : []
  const now: RolloutRecord = {
    ...ended,
    ...(people.length > 0 && { by: people }),
    ...(isUntoldHealing(rollout, next.conditions) && { untold: true }),
    ...defined({ toldAt: toldAtOf(next, ended) }),
    services: servicesOf(input, rollout, next),
  }
  return [...(before === undefined ? [] : [entryOf(former!, before)]), entryOf(rollout, now)]
}

/** Who made the changes that are healed, as far as the agent was told. */
const handsOf = ({ observation, stagelet }: StageletInput): string[] => [
  ...new Set(
    observation?.drift?.changes.flatMap(({ by }) =>
      by === undefined ? [] : [authorAsTold(by, stagelet.spec.agentRef.name)],
    ),
  ),
]

const driftOf = (input: StageletInput, next: StageletStatus): DriftEntry[] => {
  const { stagelet, observation } = input
  const was = lastKnown(stagelet.status, 'Drifted')
  const is = findCondition(next.conditions, 'Drifted')
  if (is === undefined || is.status === 'Unknown' || is.reason === 'AsDeclared') return []
  if (is.reason === was?.reason && is.message === was.message) return []
  const { drift, hand } = observation ?? {}
  const agentName = stagelet.spec.agentRef.name
  const entryOf = (mark: string, detail: DriftRecord): DriftEntry => ({
    mark,
    kind: 'drift',
    detail,
  })
  if (is.reason !== 'ByHand')
    return drift === undefined ? [] : [entryOf(`drift ${drift.since}`, { ...drift })]
  // The drift that the command was has been told of, with the command.
  const isReported =
    hand !== undefined &&
    was?.reason !== 'ByHand' &&
    was?.message.includes(runAsTold(describeManualRun(hand), agentName)) === true
  if (hand === undefined || isReported) return []
  const { at, ...said } = hand
  const ranAt = Date.parse(fixedBy(input)(at) ?? '')
  const when = Number.isNaN(ranAt) ? undefined : ranAt
  return [{ ...entryOf(`hand ${at}`, { state: 'ByHand', ...said }), ...defined({ at: when }) }]
}

type EntryOf<Kind> = Omit<
  Extract<ActivityEntry, { kind: Kind }>,
  'subject' | 'at' | 'namespace' | 'project' | 'stagelet' | 'agent'
>
type RolloutEntry = EntryOf<'rollout'>
type DriftEntry = EntryOf<'drift'> & { readonly at?: number }

export const activityOf = (input: StageletInput, next: StageletStatus): ActivityEntry[] => {
  const { metadata, spec } = input.stagelet
  const place = {
    subject: metadata.uid ?? '',
    at: input.nowMs,
    namespace: metadata.namespace ?? '',
    project: spec.projectRef.name,
    stagelet: metadata.name,
    agent: spec.agentRef.name,
  }
  return [...driftOf(input, next), ...rolloutsOf(input, next)].map((entry) => ({
    ...place,
    ...entry,
  }))
}
