// Between two attempts: is what the outputs hold still accepted, and do services still live with it? Pure. See ADR 0094.
import { defined } from '../../../src/kernel/defined.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { Observed } from './enter.ts'
import type { RotationSituation } from './facts.ts'

const dayMs = 86_400_000
const againMs = 3_600_000
/** So old an answer says nothing of now. */
const staleMs = 3 * dayMs
/** So long after its end the rotation is a likely cause of what fails. */
const watchedMs = dayMs

const ms = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text))

/** Nobody outside knows what `generate` makes: no test says anything of it. */
export const isUntestable = ({ rotator }: Pick<RotationSpec, 'rotator'>): boolean =>
  rotator.generate !== undefined

/** When (ms) what the outputs hold is tried next; undefined: not at all. */
export const retestAt = ({ spec, status, facts }: RotationSituation): number | undefined => {
  const { accepted, lastRotatedAt, slot, endedAt } = status
  const isMade = lastRotatedAt !== undefined || slot !== undefined
  const isOwn = facts.hasProject && facts.hasValues && facts.changed.length === 0
  if (isUntestable(spec) || !isMade || !isOwn) return undefined
  const { at, triedAt = at, is, why } = accepted ?? {}
  if (triedAt === undefined) return ms(endedAt ?? lastRotatedAt) + dayMs
  return ms(triedAt) + (is === 'refused' || why !== undefined ? againMs : dayMs)
}

export const retestDue = (situation: RotationSituation): Observed | undefined =>
  (retestAt(situation) ?? Infinity) <= situation.facts.nowMs ? {} : undefined

/** So soon after the end of a rotation it is looked at who lives with it. */
export const isWatched = ({ lastRotatedAt, phase = 'Idle' }: RotationStatus, nowMs: number) =>
  phase === 'Idle' && lastRotatedAt !== undefined && nowMs < ms(lastRotatedAt) + watchedMs

/** As stagelet/service, who is not well now. */
const illNow = ({ status, facts }: RotationSituation): Map<string, string> =>
  new Map(
    isWatched(status, facts.nowMs)
      ? facts.proof.bearers.flatMap(({ stagelet, service, ill }) =>
          ill === undefined ? [] : [[`${stagelet}/${service}`, ill] as const],
        )
      : [],
  )

/** The credential is tried at once, so that one answer tells whether it is the cause. */
export const illAgain = (situation: RotationSituation): Observed | undefined => {
  const { status, facts } = situation
  const { illAfter = [], accepted } = status
  const ill = illNow(situation)
  const fresh = [...ill].filter(([key]) => !illAfter.includes(key))
  if (fresh.length === 0) return undefined
  const named = fresh.slice(0, 5).map(([key, what]) => `${key} ${what}`)
  const more = fresh.length > named.length ? `, and ${fresh.length - named.length} more` : ''
  const message = `after the rotation has ended: ${named.join(', ')}${more}. The old credential is gone; the condition Accepted says whether the new one still is accepted`
  const tried = accepted && { accepted: { ...accepted, triedAt: toTimestamp(facts.nowMs - dayMs) } }
  return {
    set: { illAfter: [...ill.keys()].sort().slice(0, 100), ...defined(tried ?? {}) },
    message,
  }
}

export const wellAgain = (situation: RotationSituation): Observed | undefined => {
  const { illAfter, ...rest } = situation.status
  const ill = illNow(situation)
  const kept = illAfter?.filter((key) => ill.has(key))
  if (illAfter === undefined || kept?.length === illAfter.length) return undefined
  return { status: { ...rest, ...(kept?.length ? { illAfter: kept } : {}) } }
}

/** An answer that is too old to count. */
export const isStale = ({ at }: NonNullable<RotationStatus['accepted']>, nowMs: number): boolean =>
  nowMs - ms(at) > staleMs
