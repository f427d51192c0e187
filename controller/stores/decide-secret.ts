// What an answer of a store means for one secret. Pure: nothing is asked, and nothing is written.
import { toTimestamp } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { checkValue } from '../../src/resources/kinds/secret-value.ts'
import { no, yes, type Verdict } from '../reconcilers/verdict.ts'
import { cutProperty } from './json-pointer.ts'
import type { Absence, Fetched, Found } from './provider.ts'
import type { StoreSecret } from './store-secret.ts'

/** What is written of a secret. */
export interface SecretOutcome<Value = Buffer> {
  readonly secret: StoreSecret
  /** undefined: the value stays. */
  readonly value?: Value
  readonly known: StoreSecret['known']
  readonly fresh: Verdict
}

interface Now {
  readonly nowMs: number
  readonly place: string
}

export const checked: Verdict = yes(
  'Checked',
  'the value is the one that the store had at its last look (lastLookAt of the store)',
)

const sameVerdict = (one: Verdict, { fresh }: StoreSecret): boolean =>
  fresh?.status === one.status && fresh.reason === one.reason && fresh.message === one.message

/** The outcome, where it says something new. */
const news = (outcome: SecretOutcome<never>): SecretOutcome<never> | undefined => {
  const { secret, known, fresh } = outcome
  const same =
    sameVerdict(fresh, secret) &&
    known.version === secret.known.version &&
    known.place === secret.known.place &&
    known.expiresAt === secret.known.expiresAt &&
    known.missingSince === secret.known.missingSince
  return same ? undefined : outcome
}

const served = ({ hasValue }: StoreSecret): string =>
  hasValue ? '; the value that it has goes on being served' : ''

type Known = StoreSecret['known']

const withEnd = ({ expiresAt: _, ...known }: Known, expiresAt: string | undefined): Known => ({
  ...known,
  ...defined({ expiresAt }),
})

/** The end is that of the value that is served, whatever is known of another one. */
export const withServedEnd = ({ known: { expiresAt } }: StoreSecret, known: Known): Known =>
  withEnd(known, expiresAt)

const absent = (
  secret: StoreSecret,
  absence: Absence,
  { nowMs, place }: Now,
): SecretOutcome<never> | undefined => {
  const { key } = secret.external
  // Of another place nothing is known.
  const { missingSince, ...rest } = secret.known.place === place ? secret.known : {}
  const before = withServedEnd(secret, rest)
  if (absence.absent === 'missing') {
    const since = missingSince ?? toTimestamp(nowMs)
    const message = `the store has no "${key}"${served(secret)}`
    const known = { ...before, place, missingSince: since }
    return news({ secret, known, fresh: no('MissingUpstream', message) })
  }
  const known = { ...before, place }
  if (absence.absent === 'forbidden') {
    const message = `the credential of the store may not read "${key}"${served(secret)}`
    return news({ secret, known, fresh: no('ForbiddenUpstream', message) })
  }
  const why = 'why' in absence ? absence.why : 'the store does not say why'
  const message = `${why}${served(secret)}`
  return news({ secret, known, fresh: no('Refused', message) })
}

/** Of a new place, or after an answer that said nothing of the value. */
const knowsNothing = ({ known, fresh }: StoreSecret, place: string): boolean =>
  known.place !== place ||
  known.version === undefined ||
  known.missingSince !== undefined ||
  fresh === undefined ||
  ['ForbiddenUpstream', 'NotAllowed', 'StoreMissing', 'MissingUpstream'].includes(fresh.reason)

export const isNew = ({ known, fresh }: StoreSecret, place: string): boolean =>
  known.place !== place ||
  fresh === undefined ||
  ['NotAllowed', 'StoreMissing'].includes(fresh.reason)

/** What a look says: fetch it, write this, or nothing new. */
export const decideSeen = (
  secret: StoreSecret,
  seen: Found | Absence,
  now: Now,
): 'fetch' | SecretOutcome<never> | undefined => {
  if ('absent' in seen) return absent(secret, seen, now)
  if (knowsNothing(secret, now.place) || secret.known.version !== seen.version) return 'fetch'
  // Of a value that was refused it is not the end of what is served.
  if (!['Checked', 'Stale'].includes(secret.fresh?.reason ?? '')) return undefined
  return news({ secret, known: withEnd(secret.known, seen.expiresAt), fresh: checked })
}

/** What a fetched secret means. An answer that is empty, or that breaks the format, never replaces a value. */
export const decideFetched = (
  secret: StoreSecret,
  answer: Fetched | Absence,
  now: Now,
): SecretOutcome | undefined => {
  if ('absent' in answer) return absent(secret, answer, now)
  const { nowMs, place } = now
  const { version, expiresAt } = answer
  const again = secret.known.place === place && secret.known.version === version
  const fetchedAt = again ? secret.known.fetchedAt : toTimestamp(nowMs)
  const known = { version, place, ...defined({ fetchedAt }) }
  const refuse = (reason: string, why: string): SecretOutcome<never> | undefined =>
    news({
      secret,
      known: withServedEnd(secret, known),
      fresh: no(reason, `${why}${served(secret)}`),
    })
  const cut = cutProperty(answer.value, secret.external.property)
  if ('fault' in cut) return refuse(cut.fault, cut.why)
  if (cut.value.length === 0) return refuse('Refused', 'the store answers with an empty value')
  const [fault] = checkValue(secret.spec, cut.value)
  if (fault !== undefined) return refuse('Refused', fault.message)
  // A look that went back in time brings the value of before: it makes no version.
  return { secret, value: cut.value, known: withEnd(known, expiresAt), fresh: checked }
}

export interface Removal {
  /** Secrets that go. */
  readonly remove: readonly StoreSecret[]
  readonly isBraked: boolean
}

/** After a whole look. `missing`: those that the store no longer has. */
export const decideRemoval = (
  missing: readonly StoreSecret[],
  facts: {
    readonly all: number
    readonly everyMs: number
    readonly nowMs: number
    readonly isBraked: boolean
    readonly isResumed: boolean
  },
): Removal => {
  const { all, everyMs, nowMs, isResumed } = facts
  const had = missing.filter(({ hasValue }) => hasValue)
  const isBraked = !isResumed && (facts.isBraked || had.length * 2 > all)
  if (isBraked) return { remove: [], isBraked }
  // Who resumes has seen what is missing, and does not resume again for what is missing for less.
  const isOver = ({ known: { missingSince } }: StoreSecret): boolean =>
    missingSince !== undefined && (isResumed || nowMs - Date.parse(missingSince) >= everyMs)
  return { remove: had.filter(isOver), isBraked: false }
}
