// The lanes of the clock: for each container that a revision re-creates, when it was delivered, started and healthy. From
// what agents measured, in the controller's time: the skew of each agent's clock is taken off. Pure.
import type { Agent, KeptRollout, Service, Stagelet } from '../../../src/generated/rest-types.ts'
import type { AppliedChange } from '../../staging/applied.ts'
import { serviceKey } from '../../staging/applied.ts'
import { agentSkew } from '../../live/clock-skew.ts'
import { stageletState } from '../../live/states.ts'
import type { StateKind } from '../../ui/state.tsx'
import { resultWords } from './words.ts'

export interface Lane {
  readonly stagelet: { readonly team: string; readonly name: string }
  readonly service: string
  /** `re-created`, or with which service. */
  readonly what: string
  /** Milliseconds after the change was stored. */
  readonly delivered: number | undefined
  readonly started: number | undefined
  readonly healthy: number | undefined
  readonly kind: StateKind
  readonly word: string
}

/** The clock runs from the commit until now. */
interface LaneClock {
  readonly from: number
  readonly now: number
}

const roundingMs = 1_000

/** Milliseconds on the clock; undefined for a moment that cannot be: what an agent says may be wrong. */
const after = (at: string | undefined, { from, now }: LaneClock, skew = 0): number | undefined => {
  const ms = Date.parse(at ?? '') - skew
  return ms >= from && ms <= now + roundingMs ? ms - from : undefined
}

const stateOf = (
  stagelet: Stagelet,
  service: Service | undefined,
  { revision, isThere, isNew }: { revision: number; isThere: boolean; isNew: boolean },
): readonly [StateKind, string] => {
  const state = stageletState(stagelet)
  if (service === undefined || service.state === 'unknown') return ['unknown', 'Unknown']
  if (isThere) return ['ok', 'In sync']
  if (state.kind === 'fail') return ['fail', state.word]
  if (state.kind === 'paused' || state.kind === 'unknown') return [state.kind, state.word]
  if (isNew) return ['run', 'Started']
  if ((stagelet.wanted_revision ?? 0) < revision) return ['wait', 'Saved']
  // Compose runs. It stops the old container first, which may take as long as its grace period.
  const isBegun = isLastOf(stagelet, revision) && stagelet.last_rollout?.started_at !== undefined
  return isBegun ? ['run', 'Stopping old container'] : ['run', 'Delivered']
}

interface RolloutWorld {
  readonly stagelets: readonly Stagelet[]
  readonly agents: readonly Agent[]
  /** Rollouts of the revision that are kept, the newest first. */
  readonly rollouts: readonly KeptRollout[]
}

interface Wanted {
  readonly stagelet: string
  readonly service: string
  readonly what: string
}

/** The last rollout brought this revision: it neither healed nor rolled out edits of files. */
const isLastOf = (
  { last_rollout: rollout }: Pick<Stagelet, 'last_rollout'>,
  revision: number,
): boolean => rollout?.revision === revision && (rollout.cause ?? 'NewRevision') === 'NewRevision'

/** A revision that was not applied in this page: what its rollouts have re-created. */
const ofRollouts = (stagelets: readonly Stagelet[], revision: number): Wanted[] =>
  stagelets
    .filter((stagelet) => isLastOf(stagelet, revision))
    .flatMap(({ name: stagelet, last_rollout: { recreated = [], cascaded = [] } = {} }) => [
      ...recreated.map((service) => ({ stagelet, service, what: 're-created' })),
      ...cascaded.map((service) => ({ stagelet, service, what: 'with another service' })),
    ])

const ofImpact = ({ impact }: AppliedChange): Wanted[] => [
  ...impact.affected.map(({ stagelet, service }) => ({ stagelet, service, what: 're-created' })),
  ...impact.cascaded.map((service) => ({
    stagelet: service.stagelet,
    service: service.service,
    what: `with ${service.with.join(', ')}`,
  })),
]

/** When its health check passed, by the engine; without a check, when the agent found that it stays up. */
const healthyOf = (
  { last_rollout: rollout }: Stagelet,
  service: Service | undefined,
  revision: number,
): string | undefined =>
  service?.healthy_since ?? (rollout?.revision === revision ? rollout.finished_at : undefined)

const liveLanes = (
  { stagelets, agents }: RolloutWorld,
  revision: number,
  clock: LaneClock,
  applied: AppliedChange | undefined,
): readonly Lane[] => {
  const wanted = applied === undefined ? ofRollouts(stagelets, revision) : ofImpact(applied)
  return wanted.flatMap(({ stagelet: name, service: serviceName, what }) => {
    const stagelet = stagelets.find((stagelet) => stagelet.name === name)
    if (stagelet === undefined) return []
    const service = stagelet.services.find((service) => service.name === serviceName)
    const skew = agentSkew(agents, stagelet)
    const isNew = service?.since !== applied?.startedBefore.get(serviceKey(name, serviceName))
    const started = isNew ? after(service?.since, clock, skew) : undefined
    const isThere = service?.in_sync === true && (service.revision ?? 0) >= revision
    const isTold = stagelet.wanted_revision === revision
    const delivered = isTold ? after(stagelet.wanted_since, clock) : undefined
    const healthy = isThere
      ? (after(healthyOf(stagelet, service, revision), clock, skew) ?? started)
      : undefined
    const [kind, word] = stateOf(stagelet, service, {
      revision,
      isThere,
      isNew: started !== undefined,
    })
    return [{ stagelet, service: serviceName, what, delivered, started, healthy, kind, word }]
  })
}

/** Of a rollout that was: its stagelet runs another revision by now, or is gone. */
export const healthyThen = 'Healthy then'

const endOf = (result: KeptRollout['result']): readonly [StateKind, string] =>
  result === 'Healthy' || result === 'RolledBack' ? ['ok', healthyThen] : resultWords[result]
const words = {
  recreated: 're-created',
  cascaded: 'with another service',
  restarted: 'restarted',
} as const

/** The newest rollouts of the revision, by stagelet, of those whose last rollout is another by now. */
const pastOf = (
  { rollouts, stagelets }: RolloutWorld,
  revision: number,
): readonly KeptRollout[] => {
  const brought = rollouts.filter(({ cause }) => cause === 'NewRevision')
  return brought.filter(
    ({ stagelet: name }, at) =>
      brought.findIndex(({ stagelet }) => stagelet === name) === at &&
      !stagelets.some((stagelet) => stagelet.name === name && isLastOf(stagelet, revision)),
  )
}

/** As it was then. */
const keptLanes = (past: readonly KeptRollout[], clock: LaneClock): readonly Lane[] =>
  past.flatMap(({ team, stagelet: name, result, services, ...times }) => {
    const [kind, word] = endOf(result)
    return services.flatMap(({ name: service, what, since, healthy_at: healthyAt }) => {
      if (what === 'untouched') return []
      const end = kind === 'ok' ? after(healthyAt ?? times.finished_at, clock) : undefined
      const delivered = after(times.told_at, clock)
      const lane = {
        stagelet: { team, name },
        service,
        what: words[what],
        delivered,
        kind,
        word,
      }
      return [{ ...lane, started: after(since, clock), healthy: end }]
    })
  })

/** Live ones of what runs it or is about to, and those of rollouts that were. */
export const lanesOf = (
  world: RolloutWorld,
  revision: number,
  clock: LaneClock,
  applied: AppliedChange | undefined,
): readonly Lane[] => {
  const past = pastOf(world, revision)
  const stagelets = world.stagelets.filter(
    ({ name }) => !past.some(({ stagelet }) => stagelet === name),
  )
  const live = liveLanes({ ...world, stagelets }, revision, clock, applied)
  return [...live, ...keptLanes(past, clock)]
}

/** Services that the change should not touch: how many there are, and how many have another container now. */
export const untouchedOf = (
  stagelets: readonly Stagelet[],
  { impact, startedBefore }: AppliedChange,
): { readonly total: number; readonly same: number } => {
  const reached = new Set(
    [...impact.affected, ...impact.cascaded].map(({ stagelet, service }) =>
      serviceKey(stagelet, service),
    ),
  )
  const rest = stagelets.flatMap(({ name, services }) =>
    services
      .filter(
        (service) =>
          !reached.has(serviceKey(name, service.name)) &&
          startedBefore.has(serviceKey(name, service.name)),
      )
      .map((service) => service.since === startedBefore.get(serviceKey(name, service.name))),
  )
  return { total: rest.length, same: rest.filter(Boolean).length }
}
