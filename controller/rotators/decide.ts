// What a Rotation does next: pure. Each phase is stored before its effect, and what came of the effect is the next
// phase (docs/adr/0065).
import { toTimestamp } from '../../src/kernel/clock.ts'
import { earliest } from '../../src/kernel/earliest.ts'
import { durationMs } from '../../src/resources/duration.ts'
import type {
  BlockedBy,
  Phase,
  RotationSpec,
  RotationStatus,
} from '../../src/resources/rotation.ts'
import { giveUp, goBack, inPhase, type Failed } from './phase-change.ts'
import { afterRestore } from './restored.ts'
import type { Effect, Facts, Next, Told } from './next.ts'
import { fromIdle, sped, wait } from './attempt-begin.ts'

/** So long all must be proven at once. */
export const settledMs = 60_000
/** After that who is still on the way is named. */
const slowMs = 600_000
/** While somebody still uses the old credential, it is asked again so soon. */
export const askAgainMs = 30_000

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
  return [
    ...held,
    ...slow.map((stagelet) => ({
      ...{ stagelet, reason: 'NotHealthy' },
      message: `it is not healthy with the ${status.step === 'Back' ? 'old' : 'new'} credential yet: stagely describe stagelet ${stagelet}, and stagely rollout status ${spec.projectRef.name}`,
    })),
  ].slice(0, 20)
}

/** The old credential is accepted, as far as anybody knows. */
const mayGoBack = ({ hasOld, cause, revokeStartedAt }: RotationStatus): boolean =>
  hasOld === true && cause !== 'Refused' && revokeStartedAt === undefined

const rolledBack = (facts: Facts): Failed | undefined => {
  const { failed } = facts.proof
  if (failed === undefined) return undefined
  const message = `service ${failed.service} of stagelet "${failed.stagelet}" failed with the new credential; the old values are given back: ${failed.message}`
  return { reason: 'RolledBack', message }
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
  // Nothing was looked at: there is no old credential to end.
  if (status.hasOld !== true) return { do: 'move', status: inPhase(unproven, 'Revoking', nowMs) }
  const more = steps.includes('Remove') ? { step } : {}
  if (status.withoutProof === true)
    return { do: 'move', status: inPhase(unproven, 'Overlapping', nowMs, more) }
  const message = `every container that is seen runs the new credential: ${containers} in ${where}${unseen}`
  const told: Told = { reason: 'RotationProven', message }
  const proven = { evidence: [...evidence], provenAt: time(nowMs) }
  return { do: 'move', status: inPhase(status, 'Overlapping', nowMs, { ...proven, ...more }), told }
}

const fromProving = (spec: RotationSpec, status: RotationStatus, facts: Facts): Next => {
  const { nowMs, proof } = facts
  const isBack = status.step === 'Back'
  const failure = isBack ? undefined : rolledBack(facts)
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
  if (settled > nowMs) return wait({ ...rest, provenSince }, settled)
  return isBack ? { do: 'effect', effect: 'scramble' } : afterProof({ ...rest, provenSince }, facts)
}

/** What was proven must still be so. */
const isProvenStill = (spec: RotationSpec, status: RotationStatus, facts: Facts): boolean =>
  status.withoutProof === true ||
  (facts.proof.rolling.length === 0 && blockersOf(spec, status, facts).length === 0)

const fromOverlapping = (spec: RotationSpec, status: RotationStatus, facts: Facts): Next => {
  const { nowMs } = facts
  const isFailed = facts.proof.failed !== undefined && mayGoBack(status)
  if (isFailed || !isProvenStill(spec, status, facts))
    return { do: 'move', status: inPhase(status, 'Proving', nowMs, {}) }
  const skips = status.now === true || status.withoutProof === true || spec.inPlace === true
  const over = skips ? nowMs : ms(status.provenAt) + durationMs(spec.overlap)
  if (over > nowMs) return wait(status, over)
  if (status.withoutProof === true) return afterUse(status, facts)
  const again = ms(status.retryAt)
  return again > nowMs ? wait(status, again) : { do: 'effect', effect: 'checkUse' }
}

/** Nobody uses the old credential. */
export const afterUse = (
  status: RotationStatus,
  { nowMs, steps }: Pick<Facts, 'nowMs' | 'steps'>,
): Next => {
  const isLast = !steps.includes('Remove')
  return {
    do: 'move',
    status: isLast
      ? inPhase(status, 'Revoking', nowMs)
      : inPhase(status, 'RollingOut', nowMs, { step: 'Remove' }),
  }
}

const fromRevoking = (spec: RotationSpec, status: RotationStatus, facts: Facts): Next => {
  const { nowMs } = facts
  const again = ms(status.retryAt)
  if (again > nowMs) return wait(status, again)
  if (status.hasOld !== true || status.revokeStartedAt !== undefined)
    return { do: 'effect', effect: 'revoke' }
  if (!isProvenStill(spec, status, facts))
    return { do: 'move', status: inPhase(status, 'Proving', nowMs) }
  return { do: 'effect', effect: 'beginRevoke' }
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
