// The condition SecretsInSync: whether each container runs exactly its secrets, and why not: pure.
import { annotations } from '../../../src/resources/meta.ts'
import type { ObservationSpec, Quarantined } from '../../../src/kinds/observation/schema.ts'
import { describeBlame } from './suspect-values.ts'
import { notBegun } from './first-rollout.ts'
import type { SeenInput, StageletInput } from './facts.ts'
import { strayServices, type ComparedService } from './compare-services.ts'
import { awaitsDeploy, neverStarted } from './not-started.ts'
import { healthySetOf } from './revision.ts'
import { no, unknown, yes, type Verdict } from '../verdict.ts'

export interface Decided {
  readonly compared: readonly ComparedService[]
  readonly failed: Quarantined | undefined
  readonly wantedRevision: number | undefined
  /** Why the newest revision is held back. */
  readonly held: Verdict | undefined
}

/** The message where the newest set holds a failure: the agent has gone back or is about to. */
export const rolledBack = (input: StageletInput, failed: Quarantined): string => {
  const { observation, stagelet, head, authors } = input
  const { name } = stagelet.metadata
  const healthy = healthySetOf(input)
  const blame = describeBlame(name, failed, { head, healthy, authors })
  const where =
    observation?.phase === 'Settled'
      ? `rolled back to revision ${observation.revision}`
      : 'rolling back'
  const what = failed.message === '' ? `service ${failed.service} failed` : failed.message
  return `${where}, because revision ${failed.revision} failed${blame === undefined ? '' : ` ${blame}`}; give ${failed.service} another value, or try it again with "stagely rollout retry stagelet/${name}" (its annotation ${annotations.retry}): ${what}`
}

/** Of keys that were missing: a newer revision may hold them. */
export const isFaultOutdated = ({ fault, revision }: ObservationSpec, newest: number): boolean =>
  fault?.reason === 'KeysMissing' && revision < newest

const faultOf = (
  observation: ObservationSpec,
  newest: number,
  held: Verdict | undefined,
): Verdict | undefined => {
  if (held === undefined && isFaultOutdated(observation, newest))
    return no('NewRevision', `revision ${newest} is on its way, which may hold what was missing`)
  return observation.fault && no(observation.fault.reason, observation.fault.message)
}

export const secretsInSync = (
  input: SeenInput,
  { compared, failed, held }: Pick<Decided, 'compared' | 'failed' | 'held'>,
): Verdict => {
  const { observation, head, revisions } = input
  const early = notBegun(input)
  if (early !== undefined) return early
  const closed = revisions?.closed ?? 0
  const waiting = revisions?.closesAt !== undefined ? closed + 1 : closed
  const fault = faultOf(observation, waiting, held)
  if (fault !== undefined) return fault
  if (compared.length === 0)
    return unknown('NoReport', 'the agent has not reported any service yet')
  const late = compared.filter((j) => !j.inSync)
  const idle = neverStarted(observation)
  // Services without secrets lack none; but nothing of the stack has ever run.
  if (late.length === 0 && idle.length > 0)
    return lateFor(observation, `not started: ${namesOf(idle)}`)
  if (late.length === 0 && observation.epoch >= (head?.epoch ?? 0))
    return allCurrent(observation, inSyncText(waiting, othersIn(input, compared)))
  if (failed !== undefined) return no('RolledBack', rolledBack(input, failed))
  const what = describeLate(late)
  if (isNotJudged(observation, late)) return unknown('NotJudged', notJudged(observation, what))
  if (held !== undefined) return no(held.reason, `${held.message}; ${what}`)
  if (observation.revision < waiting)
    return no('NewRevision', `revision ${waiting} is on its way; ${what}`)
  if (isHeldBack(input, late))
    return no(
      'PendingEdits',
      `new in the compose file, and not started before "stagely deploy ${input.stagelet.metadata.name}": ${namesOf(namesIn(late))}`,
    )
  return lateFor(observation, what)
}

/** Every service of the report is current. */
const allCurrent = (observation: ObservationSpec, text: string): Verdict => {
  if (observation.cut?.some(({ field }) => field === 'services') === true)
    return unknown('ReportCut', 'the agent reports more services than are looked at')
  return isStopped(observation)
    ? no('StoppedByHand', 'the whole stack was stopped by hand: no container runs')
    : yes('InSync', text)
}

/** Running containers that no rollout changes, and that have other secrets than they would get. */
const othersIn = (input: SeenInput, compared: readonly ComparedService[]): string[] => [
  ...strayServices(input),
  ...compared.flatMap(({ status }) =>
    status.oneOffs === undefined ? [] : `a one-off container of ${status.name}`,
  ),
]

const inSyncText = (revision: number, others: readonly string[]): string => {
  const secrets = `the secrets of revision ${revision}`
  if (others.length === 0) return `every container has ${secrets}`
  const names = others.slice(0, 5).join(', ')
  const more = others.length > 5 ? ` and ${others.length - 5} more` : ''
  return `every service has ${secrets}; other secrets are in what is no service of the stack: ${names}${more}`
}

/** True where nothing is late but services that only a deploy starts. */
const isHeldBack = (
  { observation: { phase, pendingEdits }, stagelet }: SeenInput,
  late: readonly ComparedService[],
): boolean => {
  if (phase !== 'Settled' || stagelet.spec.compose.onChange === 'Deploy') return false
  const pending = new Set(pendingEdits)
  return late.every(({ status }) => awaitsDeploy(status, pending))
}

/** True when the service carries the wanted digest, and only its health is not known. */
const isUnproven = ({ status, cutOff }: ComparedService): boolean =>
  !cutOff && status.wantedDigest !== undefined && status.runningDigest === status.wantedDigest

/** True after a start of the agent: it has read the digests and has not checked the health yet. */
const isNotJudged = (
  { phase, rollout }: ObservationSpec,
  late: readonly ComparedService[],
): boolean =>
  rollout === undefined &&
  ['Pending', 'Gating', 'Paused'].includes(phase) &&
  late.length > 0 &&
  late.every(isUnproven)

const notJudged = ({ phase }: ObservationSpec, what: string): string =>
  `the agent has begun anew; ${what}${phase === 'Paused' ? '; it is paused, and judges them afterwards' : ''}`

const namesOf = (names: readonly string[]): string => {
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
  return `${names.slice(0, 5).join(', ')}${more}`
}

const namesIn = (services: readonly ComparedService[]): string[] =>
  services.map((j) => j.status.name)

const describeLate = (late: readonly ComparedService[]): string => {
  const say = (what: string, services: readonly ComparedService[]): string[] =>
    services.length === 0 ? [] : [`${what}: ${namesOf(namesIn(services))}`]
  const unproven = late.filter(isUnproven)
  const cut = late.filter((j) => j.cutOff)
  const others = late.filter((j) => !j.cutOff && !isUnproven(j))
  return [
    ...say('not current', others),
    ...say('sharing with a container that is gone', cut),
    ...say('current, and not seen healthy yet', unproven),
  ].join('; ')
}

const isStopped = ({ phase, drift }: ObservationSpec): boolean =>
  phase === 'Paused' && drift?.state === 'Held'

/** Why services are late although the agent has the newest revision. */
const lateFor = (observation: ObservationSpec, what: string): Verdict => {
  const { phase, revision, rollout } = observation
  if (phase === 'Failed')
    return no('RolloutFailed', rollout?.message ?? `revision ${revision} failed`)
  if (isStopped(observation)) return no('StoppedByHand', `the stack was stopped by hand; ${what}`)
  if (phase === 'Paused') return no('Paused', `paused; ${what}`)
  if (phase === 'Settled') return no('OutOfSync', `after the rollout: ${what}`)
  return no('RollingOut', `rolling out revision ${revision}; ${what}`)
}
