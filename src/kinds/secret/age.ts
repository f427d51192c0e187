// How old the values of a project may be. Pure.
import * as z from 'zod'
import { toTimestamp } from '../../kernel/clock.ts'
import { duration, durationMs } from '../../resources/duration.ts'
import { leakedVersions } from './findings.ts'
import type { Verdict } from '../../resources/conditions.ts'
import type { SecretStatus } from './schema.ts'

export const secretPolicySpec = z.strictObject({
  maxAge: duration.describe('No value of the project should be older than this, such as 90d.'),
  exempt: z
    .array(z.string().min(1).max(255))
    .max(1000)
    .optional()
    .describe('Keys whose values may be older.'),
  enforce: z
    .enum(['Report', 'Refuse'])
    .optional()
    .describe(
      'Report when absent: what is older is told. Refuse: until it is renewed or exempted, other new values of the project are refused; what runs runs on.',
    ),
})

export type SecretPolicy = z.infer<typeof secretPolicySpec>

/** When (ms) the value is older than the policy allows; undefined: never. */
export const ageLimitOf = (
  policy: SecretPolicy | undefined,
  { key, since }: { readonly key: string; readonly since: string | undefined },
): number | undefined => {
  if (policy === undefined || since === undefined) return undefined
  if (policy.exempt?.includes(key) === true) return undefined
  return Date.parse(since) + durationMs(policy.maxAge)
}

interface AgeNow {
  readonly dueAt: string | undefined
  /** undefined: no age is too old. */
  readonly verdict: Verdict | undefined
  /** The next moment (ms) at which something else is true. */
  readonly nextAt: number | undefined
}

const ofAge: ReadonlySet<string> = new Set(['Age', 'PolicyChanged'])

/** Whatever the age: somebody outside knows the value, or may. undefined where nobody knows the value who should not. */
export const revealedVerdict = (
  {
    findings,
    readBy,
    knownOutside,
    plainUntil,
  }: Pick<SecretStatus, 'findings' | 'readBy' | 'knownOutside' | 'plainUntil'>,
  remedy: string,
): Verdict | undefined => {
  const because = (why: string): Verdict => ({
    status: 'True',
    reason: 'Revealed',
    message: `${why}: ${remedy}`,
  })
  const leaked = leakedVersions(findings)
  if (leaked !== undefined)
    return { ...because(`${leaked} found in a repository`), reason: 'Leaked' }
  if (readBy !== undefined)
    return because(
      `somebody has read the value on ${readBy.at.slice(0, 10)} by AccessRequest ${readBy.request}`,
    )
  if (knownOutside !== undefined)
    return because(
      'somebody has read the value who may not read values here any more (status.knownOutside)',
    )
  return plainUntil === undefined
    ? undefined
    : because('the value was plain, so that others may know it (status.plainUntil)')
}

/** Fields of the former status. */
interface Before {
  readonly dueAt: string | undefined
  /** Of a condition that was true. */
  readonly reason: string | undefined
}

/** A value that became too old without a moment at which it was about to: the policy has changed, not the age. */
const reasonOf = ({ reason, dueAt }: Before, nowMs: number): string => {
  if (reason !== undefined && ofAge.has(reason)) return reason
  return dueAt === undefined || Date.parse(dueAt) > nowMs ? 'PolicyChanged' : 'Age'
}

export const ageAt = (
  policy: SecretPolicy | undefined,
  value: { readonly key: string; readonly since: string | undefined; readonly remedy: string },
  { nowMs, before }: { readonly nowMs: number; readonly before: Before },
): AgeNow => {
  const limit = ageLimitOf(policy, value)
  if (limit === undefined) return { dueAt: undefined, verdict: undefined, nextAt: undefined }
  const dueAt = toTimestamp(limit)
  const rule = `spec.secretPolicy.maxAge of the project is ${policy?.maxAge ?? ''}`
  if (nowMs < limit) {
    const message = `the value may be used until ${dueAt}: ${rule}`
    return { dueAt, verdict: { status: 'False', reason: 'NotDue', message }, nextAt: limit }
  }
  const message = `the value is from ${value.since ?? ''}, and ${rule}: ${value.remedy}, or exempt its key`
  return {
    dueAt,
    verdict: { status: 'True', reason: reasonOf(before, nowMs), message },
    nextAt: undefined,
  }
}
