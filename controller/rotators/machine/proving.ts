// Whether everything runs the new credential, and what fails with it: the guards of a proof. Pure.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { earliest } from '../../../src/kernel/earliest.ts'
import { durationMs } from '../../../src/resources/duration.ts'
import type {
  BlockedBy,
  Evidence,
  RotationSpec,
  RotationStatus,
} from '../../../src/kinds/rotation/schema.ts'
import { keyOfBearer, mostRestarts, settledMs, type Bearer } from '../proof/proof.ts'
import type { Failed, Observed } from './enter.ts'
import type { RotationFacts, RotationSituation } from './facts.ts'
import { hasRemoveStep } from './old-use.ts'

/** After that who is still on the way is named, and a service that is not well since then counts as failed. */
const slowMs = 600_000
const mostNamed = 20

const time = toTimestamp
const ms = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text))

/** `away: RevokeAfter` counts from the write of the values, whatever phase came since. */
const awayOverAt = (spec: RotationSpec, status: RotationStatus): number | undefined =>
  spec.away === 'RevokeAfter' && spec.revokeAfter !== undefined
    ? ms(status.provingSince ?? status.phaseSince) + durationMs(spec.revokeAfter)
    : undefined

export const isAwayOver = (
  spec: RotationSpec,
  status: RotationStatus,
  { nowMs }: RotationFacts,
): boolean => nowMs >= (awayOverAt(spec, status) ?? Infinity)

/** Agents that are away count only so long. */
const heldBy = (spec: RotationSpec, status: RotationStatus, facts: RotationFacts): BlockedBy[] => {
  const isOver = isAwayOver(spec, status, facts)
  return facts.proof.blockedBy.filter((block) => !(isOver && block.reason === 'AgentAway'))
}

/** Who is still waited for. */
const blockersOf = (
  spec: RotationSpec,
  status: RotationStatus,
  facts: RotationFacts,
): BlockedBy[] => {
  const waited = facts.nowMs - ms(status.phaseSince)
  const slow = waited < slowMs ? [] : facts.proof.rolling
  const which = status.step === 'Back' ? 'old' : 'new'
  const why = (stagelet: string): string =>
    facts.proof.bearers
      .flatMap((block) =>
        block.stagelet === stagelet && block.ill
          ? [` (service ${block.service} ${block.ill})`]
          : [],
      )
      .slice(0, 5)
      .join('')
  return [
    ...heldBy(spec, status, facts),
    ...slow.map((stagelet) => ({
      stagelet,
      reason: 'NotHealthy',
      message: `it is not healthy with the ${which} credential yet${why(stagelet)}: stagely describe stagelet ${stagelet}, and stagely rollout status ${spec.projectRef.name}`,
    })),
  ].slice(0, mostNamed)
}

/** The old credential is accepted, as far as anybody knows. */
const mayGoBack = ({ hasOld, oldIsLogin, cause, revokeStartedAt }: RotationStatus): boolean =>
  hasOld === true && oldIsLogin !== true && cause !== 'Refused' && revokeStartedAt === undefined

const rolledBack = (facts: RotationFacts): Failed | undefined => {
  const { failed } = facts.proof
  if (failed === undefined) return undefined
  const message = `service ${failed.service} of stagelet "${failed.stagelet}" failed with the new credential; the old values are given back: ${failed.message}`
  return { reason: 'RolledBack', message }
}

interface Failing {
  /** As stagelet/service. */
  readonly key: string
  readonly bearer: Bearer
  readonly what: string
}

/** Services that restart again and again with the new values, or are not well for long. */
const failingOf = (status: RotationStatus, { nowMs, proof }: RotationFacts): Failing[] => {
  const { provenRuns, phaseSince } = status
  const isSlow = nowMs - ms(phaseSince) >= slowMs
  return proof.bearers.flatMap((bearer): Failing[] => {
    const key = keyOfBearer(bearer)
    const restarts = bearer.restarts - (provenRuns?.restarts[key] ?? 0)
    const isLooping = restarts >= mostRestarts * Math.max(1, bearer.containers)
    if (isLooping) return [{ key, bearer, what: `has restarted ${restarts} times` }]
    return isSlow && bearer.ill !== undefined ? [{ key, bearer, what: bearer.ill }] : []
  })
}

/** A service that was well before its container got the new values, and is not since. */
const cannotLive = (status: RotationStatus, facts: RotationFacts): Failed | undefined => {
  const { illBefore } = status
  if (illBefore === undefined) return undefined
  const found = failingOf(status, facts).find(({ key }) => !illBefore.includes(key))
  if (found === undefined) return undefined
  const { bearer, what } = found
  const message = `service ${bearer.service} of stagelet "${bearer.stagelet}" ${what} with the new credential, and was well before; the old values are given back`
  return { reason: 'RolledBack', message }
}

/** Whoever restarts again and again looks well in between, and keeps the proof from its end. */
const restartingOf = (status: RotationStatus, facts: RotationFacts): BlockedBy[] =>
  failingOf(status, facts)
    .filter(({ bearer }) => bearer.ill === undefined)
    .slice(0, mostNamed)
    .map(({ bearer: { stagelet, service }, what }) => ({
      stagelet,
      reason: 'NotHealthy',
      message: `service ${service} ${what} since it got the credential, and has to run for a minute without a restart: stagely logs ${stagelet} --service ${service}`,
    }))

/** Whose containers start anew, without an end of their own, keeps the proof from its end too. */
const startingOf = (
  { provenRuns, phaseSince }: RotationStatus,
  { nowMs }: RotationFacts,
): BlockedBy[] =>
  nowMs - ms(phaseSince) < slowMs
    ? []
    : (provenRuns?.started ?? []).map((stagelet) => ({
        stagelet,
        reason: 'StartedAgain',
        message: `containers of it that see the credential are started again and again, as its agent says, and have to run for a minute: stagely describe stagelet ${stagelet}`,
      }))

/** The proof begins anew with each start of a container. The fewest restarts are those of before. */
export const withStarts = (status: RotationStatus, { proof }: RotationFacts): RotationStatus => {
  const { provenRuns: before, provenSince, ...rest } = status
  const restarts =
    before === undefined
      ? proof.restarts
      : Object.fromEntries(
          Object.entries(before.restarts).flatMap(([key, count]) => {
            const fewest = Math.min(count, proof.restarts[key] ?? 0)
            return fewest === 0 ? [] : [[key, fewest] as const]
          }),
        )
  const isSame = before?.of === proof.runs
  const { starts } = proof
  const then = before?.starts ?? starts
  const others = Object.keys(starts).filter((stagelet) => starts[stagelet] !== then[stagelet])
  const started = isSame ? before.started : others.slice(0, mostNamed)
  const provenRuns = {
    of: proof.runs,
    restarts: { ...restarts },
    starts: { ...starts },
    ...defined({ started }),
  }
  return { ...rest, provenRuns, ...(isSame && provenSince !== undefined && { provenSince }) }
}

/** Without an old credential there is none to end. */
const needsNoProof = ({ withoutProof, hasOld, step }: RotationStatus): boolean =>
  step !== 'Back' && (withoutProof === true || hasOld !== true)

export const outputChanged = ({ facts: { changed } }: RotationSituation): Observed | undefined => {
  if (changed.length === 0) return undefined
  const message = `${changed.join(', ')} was changed or removed meanwhile: the old credential is not ended`
  return { failure: { reason: 'OutputChanged', message } }
}

export const credentialFails = ({ status, facts }: RotationSituation): Observed | undefined => {
  const failure = rolledBack(facts) ?? cannotLive(status, facts)
  return failure !== undefined && mayGoBack(status) ? { failure } : undefined
}

export const stackFailed = ({ status, facts }: RotationSituation): Observed | undefined =>
  facts.proof.failed !== undefined && mayGoBack(status) ? {} : undefined

/** Waits for those, until time alone changes who they are. */
const pendingOf = (
  { blockedBy: _, ...rest }: RotationStatus,
  { nowMs }: RotationFacts,
  { spec, blockedBy }: { readonly spec: RotationSpec; readonly blockedBy: BlockedBy[] },
): Observed => {
  const later = [ms(rest.phaseSince) + slowMs, awayOverAt(spec, rest)]
  const [first, second] = later.filter((endMs) => endMs !== undefined && endMs > nowMs)
  return {
    status: { ...rest, ...(blockedBy.length > 0 && { blockedBy }) },
    until: earliest(first, second),
  }
}

export const proofPending = ({ spec, status, facts }: RotationSituation): Observed | undefined => {
  if (needsNoProof(status)) return undefined
  const { nowMs, proof } = facts
  const blockedBy = blockersOf(spec, status, facts)
  const { blockedBy: _, provenSince = time(nowMs), ...rest } = status
  if (blockedBy.length > 0 || proof.rolling.length > 0)
    return pendingOf(rest, facts, { spec, blockedBy })
  const settled = ms(provenSince) + settledMs
  if (settled <= nowMs) return undefined
  const restarting = [...restartingOf(status, facts), ...startingOf(status, facts)]
  const waiting = {
    ...rest,
    provenSince,
    ...(restarting.length > 0 && { blockedBy: restarting.slice(0, mostNamed) }),
  }
  return { status: waiting, until: settled }
}

export const addProven = ({ status: { step } }: RotationSituation): Observed | undefined =>
  step === 'Add' ? { set: { step: 'Switch' } } : undefined

const evidenceOf = ({ facts }: RotationSituation): { readonly evidence: Evidence[] } => ({
  evidence: facts.proof.evidence.slice(0, 50),
})

export const removeProven = (situation: RotationSituation): Observed | undefined =>
  situation.status.step === 'Remove' ? { set: evidenceOf(situation) } : undefined

export const nothingToEnd = ({ status: { hasOld } }: RotationSituation): Observed | undefined =>
  hasOld === true ? undefined : {}

/** Where a rollout without the old value is to come, it follows this step. */
const stepBeforeRemove = ({
  status: { step = 'Switch' },
  facts,
}: RotationSituation): Partial<RotationStatus> => (hasRemoveStep(facts) ? { step } : {})

export const proofSkipped = (situation: RotationSituation): Observed | undefined => {
  const { evidence: _, ...status } = situation.status
  return status.withoutProof === true ? { status, set: stepBeforeRemove(situation) } : undefined
}

/** A container that somebody has only started again keeps the overlap that has begun. */
export const provenAgain = (situation: RotationSituation): Observed | undefined =>
  situation.status.provenAt === undefined ? undefined : proven(situation)

export const proven = (situation: RotationSituation): Observed => {
  const { status, facts } = situation
  const { provenAt = time(facts.nowMs), provenSince } = status
  const { evidence } = evidenceOf(situation)
  const containers = evidence.reduce((sum, proof) => sum + proof.containers, 0)
  const where = `${evidence.length} ${evidence.length === 1 ? 'stagelet' : 'stagelets'}`
  const away = facts.proof.blockedBy.filter(({ reason }) => reason === 'AgentAway')
  const unseen =
    away.length === 0
      ? ''
      : `; not seen, since their agents are away: ${away.map(({ stagelet }) => stagelet).join(', ')}`
  const { ended } = facts.proof
  const gone =
    ended.length === 0
      ? ''
      : `; not running, by declaration: ${ended.slice(0, 20).join('; ')}${ended.length > 20 ? '; and more' : ''}`
  return {
    set: { evidence, provenAt, ...defined({ provenSince }), ...stepBeforeRemove(situation) },
    message: `every container that is seen runs the new credential: ${containers} in ${where}${unseen}${gone}`,
  }
}

/** What was proven must still be so. */
export const proofLost = ({ spec, status, facts }: RotationSituation): Observed | undefined => {
  const { provenAt: _, ...unproven } = status
  if (status.withoutProof === true) return undefined
  const isLost = facts.proof.rolling.length > 0 || blockersOf(spec, status, facts).length > 0
  return isLost ? { status: unproven } : undefined
}

/**
 * Hours may have passed since it was stored that the old credential ends, such as while its database was away. Who is
 * only not well needs the old one no more.
 */
export const endHeld = ({ spec, status, facts }: RotationSituation): Observed | undefined => {
  if (needsNoProof(status)) return undefined
  const late = facts.proof.late.map((stagelet) => ({
    stagelet,
    reason: 'OldContainer',
    message: `a service may run the old credential again, which is about to end: stagely describe stagelet ${stagelet} says why`,
  }))
  const blockedBy = [...heldBy(spec, status, facts), ...late].slice(0, mostNamed)
  return blockedBy.length > 0 ? pendingOf(status, facts, { spec, blockedBy }) : undefined
}

/** Who ended by itself with the new values may do so again: the overlap begins anew. */
export const proofInterrupted = ({ status, facts }: RotationSituation): Observed | undefined => {
  const { provenAt: _, ...unproven } = status
  const { withoutProof, provenRuns } = status
  if (withoutProof === true || provenRuns === undefined) return undefined
  if (provenRuns.of === facts.proof.runs) return undefined
  const hasDied = Object.entries(facts.proof.restarts).some(
    ([key, count]) => count > (provenRuns.restarts[key] ?? 0),
  )
  return hasDied ? { status: unproven } : {}
}
