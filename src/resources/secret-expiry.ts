// The part of a secret's status that tells when its value ends.
import { toTimestamp } from '../kernel/clock.ts'
import { withCondition, type Condition } from './conditions.ts'
import { expiryAt, type Dated } from './expiry.ts'
import type { SecretSpec, SecretStatus } from './stagelysecret.ts'

const types = ['Expiring', 'Expired'] as const

export const datesOf = (
  { expiry }: Pick<SecretSpec, 'expiry'>,
  { version, valueSince, updatedAt, certificateEndsAt }: SecretStatus,
): Dated => ({
  expiry,
  since: version === undefined ? undefined : (valueSince ?? updatedAt),
  certificateEndsAt,
})

/**
 * The status as it is at `nowMs`, and the next moment (ms) at which it is another one. `tells` false: what
 * becomes true stays unsaid, for who tells of it.
 */
export const withExpiry = (
  spec: Pick<SecretSpec, 'expiry'>,
  status: SecretStatus,
  { nowMs, tells }: { nowMs: number; tells: boolean },
): { status: SecretStatus; nextAt: number | undefined } => {
  const { end, verdicts, nextAt } = expiryAt(datesOf(spec, status), nowMs)
  const { expiresAt: _, expiresFrom: __, conditions: before = [], ...rest } = status
  const { observedGeneration } = status
  let conditions = (before as Condition[]).filter(({ type }) =>
    types.every((one) => one !== type || verdicts[one] !== undefined),
  )
  for (const type of types) {
    const verdict = verdicts[type]
    if (verdict === undefined || (verdict.status === 'True' && !tells)) continue
    const next = { type, ...verdict, observedGeneration }
    conditions = withCondition(conditions, next, toTimestamp(nowMs))
  }
  return { status: { ...rest, ...end, conditions }, nextAt }
}
