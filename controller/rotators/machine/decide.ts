// What a Rotation does next: pure. Each phase is stored before its effect, and what came of the effect is the next
// phase (ADR 0065).
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { earliest } from '../../../src/kernel/earliest.ts'
import { durationMs } from '../../../src/resources/duration.ts'
import type {
  BlockedBy,
  Phase,
  RotationSpec,
  RotationStatus,
} from '../../../src/resources/kinds/rotation.ts'
import { giveUp, goBack, inPhase, type Failed } from './phase-change.ts'
import { keyOfBearer, mostRestarts, settledMs, type Bearer } from '../proof/proof.ts'
import { afterRestore } from './restored.ts'
import type { Effect, Facts, Next, Told } from './next.ts'
import { afterUse, nextLookAt } from './old-use.ts'
import { fromIdle, sped, wait } from './attempt-begin.ts'

/** After that who is still on the way is named, and a service that is not well since then counts as failed. */
const slowMs = 600_000

const time = toTimestamp
const ms = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text))

/** `away: RevokeAfter` counts from the write of the values, whatever phase came since. */
const awayOverAt = (spec: RotationSpec, status: RotationStatus): number | undefined =>
  spec.away === 'RevokeAfter' && spec.revokeAfter !== undefined
    ? ms(status.provingSince ?? status.phaseSince) + durationMs(spec.revokeAfter)
    : undefined

const isAwayOver = (spec: RotationSpec, status: RotationStatus, { nowMs }: Facts): boolean =>
  nowMs >= (awayOverAt(spec, status) ?? Infinity)

/** Who is still waited for: agents that are away count only so long. */
const blockersOf = (spec: RotationSpec, status: RotationStatus, facts: Facts): BlockedBy[] => {
  const waited = facts.nowMs - ms(status.phaseSince)
  const isOver = isAwayOver(spec, status, facts)
  const held = facts.proof.blockedBy.filter((one) => !(isOver && one.reason === 'AgentAway'))
  const slow = waited < slowMs ? [] : facts.proof.rolling
  const which = status.step === 'Back' ? 'old' : 'new'
  const why = (stagelet: string): string =>
    facts.proof.bearers
      .flatMap((one) =>
        one.stagelet === stagelet && one.ill ? [` (service ${one.service} ${one.ill})`] : [],
      )
      .slice(0, 5)
      .join('')
  return [
    ...held,
    ...slow.map((stagelet) => ({
      ...{ stagelet, reason: 'NotHealthy' },
      message: `it is not healthy with the ${which} credential yet${why(stagelet)}: stagely describe stagelet ${stagelet}, and stagely rollout status ${spec.projectRef.name}`,
    })),
  ].slice(0, 20)
}

/** The old credential is accepted, as far as anybody knows. */
const mayGoBack = ({ hasOld, oldIsLogin, cause, revokeStartedAt }: RotationStatus): boolean =>
  hasOld === true && oldIsLogin !== true && cause !== 'Refused' && revokeStartedAt === undefined

const rolledBack = (facts: Facts): Failed | undefined => {
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
const failingOf = (status: RotationStatus, { nowMs, proof }: Facts): Failing[] => {
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
const cannotLive = (status: RotationStatus, facts: Facts): Failed | undefined => {
  const { illBefore } = status
  if (illBefore === undefined) return undefined
  const found = failingOf(status, facts).find(({ key }) => !illBefore.includes(key))
  if (found === undefined) return undefined
  const { bearer, what } = found
  const message = `service ${bearer.service} of stagelet "${bearer.stagelet}" ${what} with the new credential, and was well before; the old values are given back`
  return { reason: 'RolledBack', message }
}

/** Whoever restarts again and again looks well in between, and keeps the proof from its end. */
const restartingOf = (status: RotationStatus, facts: Facts): BlockedBy[] =>
  failingOf(status, facts)
    .filter(({ bearer }) => bearer.ill === undefined)
    .slice(0, 20)
    .map(({ bearer: { stagelet, service }, what }) => ({
      ...{ stagelet, reason: 'NotHealthy' },
      message: `service ${service} ${what} since it got the credential, and has to run for a minute without a restart: stagely logs ${stagelet} --service ${service}`,
    }))

/** The proof begins anew with each start of a container. The fewest restarts are those of before. */
const watched = (status: RotationStatus, { proof }: Facts): RotationStatus => {
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
  const provenRuns = { of: proof.runs, restarts: { ...restarts } }
  return { ...rest, provenRuns, ...(isSame && provenSince !== undefined && { provenSince }) }
}

/** Nobody knows which credential runs then. */
const outputChanged = (status: RotationStatus, { nowMs, changed }: Facts): Next => {
  const message = `${changed.join(', ')} was changed or removed meanwhile: the old credential is not ended`
  return giveUp(status, nowMs, { reason: 'OutputChanged', message })
}

/** After the proof of a step. */
const afterProof = (status: RotationStatus, { nowMs, steps, proof }: Facts): Next => {
  const { step = 'Switch' } = status
  const evidence = proof.evidence.slice(0, 50)
  if (step === 'Add')
    return { do: 'move', status: inPhase(status, 'RollingOut', nowMs, { step: 'Switch' }) }
  if (step === 'Remove')
    return { do: 'move', status: inPhase(status, 'Revoking', nowMs, { evidence: [...evidence] }) }
  const containers = evidence.reduce((sum, one) => sum + one.containers, 0)
  const where = `${evidence.length} ${evidence.length === 1 ? 'stagelet' : 'stagelets'}`
  const away = proof.blockedBy.filter(({ reason }) => reason === 'AgentAway')
  const unseen =
    away.length === 0
      ? ''
      : `; not seen, since their agents are away: ${away.map((one) => one.stagelet).join(', ')}`
  const { evidence: _, ...unproven } = status
  // Nothing was looked at: there is no old credential to end, and the attempt is complete.
  if (status.hasOld !== true) return { do: 'effect', effect: 'revoke' }
  const more = steps.includes('Remove') ? { step } : {}
  if (status.withoutProof === true)
    return { do: 'move', status: inPhase(unproven, 'Overlapping', nowMs, more) }
  const message = `every container that is seen runs the new credential: ${containers} in ${where}${unseen}`
  const told: Told = { reason: 'RotationProven', message }
  // A container that was only started again keeps the overlap that has begun.
  const { provenAt = time(nowMs), provenSince } = status
  const proven = { evidence: [...evidence], provenAt, ...defined({ provenSince }) }
  const isAgain = status.provenAt !== undefined
  const next = inPhase(status, 'Overlapping', nowMs, { ...proven, ...more })
  return { do: 'move', status: next, ...(!isAgain && { told }) }
}

const fromProving = (spec: RotationSpec, given: RotationStatus, facts: Facts): Next => {
  const { nowMs, proof } = facts
  const status = watched(given, facts)
  const isBack = status.step === 'Back'
  const failure = isBack ? undefined : (rolledBack(facts) ?? cannotLive(status, facts))
  if (failure !== undefined && mayGoBack(status)) return goBack(status, nowMs, failure)
  // Without an old credential there is none to end.
  const needsNone = status.withoutProof === true || status.hasOld !== true
  if (needsNone && !isBack) return afterProof(status, facts)
  const blockedBy = blockersOf(spec, status, facts)
  const isSettled = blockedBy.length === 0 && proof.rolling.length === 0
  if (!isSettled) {
    const { provenSince: _, blockedBy: __, ...rest } = status
    const next = { ...rest, ...(blockedBy.length > 0 && { blockedBy }) }
    const later = [ms(status.phaseSince) + slowMs, awayOverAt(spec, status)]
    const until = later.filter((at) => at !== undefined && at > nowMs) as number[]
    return wait(next, earliest(until[0], until[1]))
  }
  const { blockedBy: _, ...rest } = status
  const provenSince = status.provenSince ?? time(nowMs)
  const settled = ms(provenSince) + settledMs
  const restarting = restartingOf(status, facts)
  const waiting = { ...rest, ...(restarting.length > 0 && { blockedBy: restarting }) }
  if (settled > nowMs) return wait({ ...waiting, provenSince }, settled)
  return isBack ? { do: 'effect', effect: 'scramble' } : afterProof({ ...rest, provenSince }, facts)
}

/** Everything runs the new credential, and is well. */
const isProvenNow = (spec: RotationSpec, status: RotationStatus, facts: Facts): boolean =>
  status.withoutProof === true ||
  (facts.proof.rolling.length === 0 && blockersOf(spec, status, facts).length === 0)

/** No container was started since the proof began. */
const isUninterrupted = ({ withoutProof, provenRuns }: RotationStatus, { proof }: Facts): boolean =>
  withoutProof === true || provenRuns === undefined || provenRuns.of === proof.runs

/** What was proven must still be so; undefined: it is. */
const provenAnew = (spec: RotationSpec, status: RotationStatus, facts: Facts): Next | undefined => {
  const { nowMs } = facts
  const { provenAt: _, ...unproven } = status
  if (!isProvenNow(spec, status, facts))
    return { do: 'move', status: inPhase(unproven, 'Proving', nowMs) }
  if (isUninterrupted(status, facts)) return undefined
  return { do: 'move', status: inPhase(status, 'Proving', nowMs) }
}

const fromOverlapping = (spec: RotationSpec, status: RotationStatus, facts: Facts): Next => {
  const { nowMs } = facts
  const isFailed = facts.proof.failed !== undefined && mayGoBack(status)
  if (isFailed) return { do: 'move', status: inPhase(status, 'Proving', nowMs, {}) }
  const anew = provenAnew(spec, status, facts)
  if (anew !== undefined) return anew
  if (status.withoutProof === true) return afterUse(status, facts)
  const look = nextLookAt(spec, status)
  return look > nowMs ? wait(status, look) : { do: 'effect', effect: 'checkUse' }
}

const fromRevoking = (spec: RotationSpec, status: RotationStatus, facts: Facts): Next => {
  const { nowMs } = facts
  const again = ms(status.retryAt)
  if (again > nowMs) return wait(status, again)
  if (status.hasOld !== true || status.revokeStartedAt !== undefined)
    return { do: 'effect', effect: 'revoke' }
  return provenAnew(spec, status, facts) ?? { do: 'effect', effect: 'beginRevoke' }
}

const effectOf: Readonly<Partial<Record<Phase, Effect>>> = {
  ...{ Preparing: 'prepare', Setting: 'set', Testing: 'test', RollingOut: 'write' },
}

type From = (spec: RotationSpec, status: RotationStatus, facts: Facts) => Next
const afterWrite: Readonly<Partial<Record<Phase, From>>> = {
  ...{ Proving: fromProving, Overlapping: fromOverlapping, Revoking: fromRevoking },
}

/** Secrets and stacks outlive their project, and may run the old credential. */
const projectMissing = ({ provenSince: _, ...status }: RotationStatus, project: string): Next => {
  const message = `project "${project}" does not exist, so that nobody knows what runs: create it again, or delete the rotation, which ends no credential`
  return wait({ ...status, blockedBy: [{ reason: 'ProjectMissing', message }] })
}

const isFound = ({ blockedBy = [] }: RotationStatus): boolean =>
  blockedBy.some(({ reason }) => reason === 'ProjectMissing')

export const decideRotation = (spec: RotationSpec, given: RotationStatus, facts: Facts): Next => {
  const { phase = 'Idle' } = given
  const first = facts.hasProject ? afterRestore(spec, given, facts) : undefined
  if (first !== undefined) return first
  if (phase === 'Idle') return fromIdle(spec, given, facts)
  if (!facts.hasProject) return projectMissing(given, spec.projectRef.name)
  if (isFound(given)) {
    const { blockedBy: _, ...status } = given
    return decideRotation(spec, status, facts)
  }
  const faster = sped(given)
  if (faster !== undefined) return { do: 'move', status: faster }
  // The old credential may be dead already: there is no way back, and none to the proof.
  if (given.revokeStartedAt !== undefined && phase === 'Revoking')
    return fromRevoking(spec, given, facts)
  const again = ms(given.retryAt)
  const isOver = given.failure !== undefined && given.step !== 'Back'
  if (isOver) return again > facts.nowMs ? wait(given, again) : { do: 'effect', effect: 'scramble' }
  const written = afterWrite[phase]
  if (written !== undefined)
    return facts.changed.length > 0 ? outputChanged(given, facts) : written(spec, given, facts)
  if (again > facts.nowMs) return wait(given, again)
  return { do: 'effect', effect: effectOf[phase] ?? 'prepare' }
}
