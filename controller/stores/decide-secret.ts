// What an answer of a store means for one secret. Pure: nothing is asked, and nothing is written.
import { toTimestamp } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { checkValue } from '../../src/kinds/secret/value.ts'
import { no, yes, type Verdict } from '../reconcilers/verdict.ts'
import { cutProperty } from './json-pointer.ts'
import type { Absence, Fetched, Found } from './provider.ts'
import type { StoreSecret } from './store-secret.ts'

/** What is written of a secret. */
export interface SecretOutcome<Value = Buffer> {
  readonly secret: StoreSecret
  /** undefined: the value stays. */
  readonly value?: Value
  readonly last: StoreSecret['last']
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

const sameVerdict = (verdict: Verdict, { fresh }: StoreSecret): boolean =>
  fresh?.status === verdict.status &&
  fresh.reason === verdict.reason &&
  fresh.message === verdict.message

/** The outcome, where it says something new. */
const news = (outcome: SecretOutcome<never>): SecretOutcome<never> | undefined => {
  const { secret, last, fresh } = outcome
  const same =
    sameVerdict(fresh, secret) &&
    last.version === secret.last.version &&
    last.place === secret.last.place &&
    last.expiresAt === secret.last.expiresAt &&
    last.missingSince === secret.last.missingSince
  return same ? undefined : outcome
}

const served = ({ hasValue }: StoreSecret): string =>
  hasValue ? '; the value that it has goes on being served' : ''

type LastFetch = StoreSecret['last']

const withEnd = (
  { expiresAt: _, ...last }: LastFetch,
  expiresAt: string | undefined,
): LastFetch => ({
  ...last,
  ...defined({ expiresAt }),
})

/** The end is that of the value that is served, whatever is known of another one. */
export const withServedEnd = ({ last: { expiresAt } }: StoreSecret, last: LastFetch): LastFetch =>
  withEnd(last, expiresAt)

const absent = (
  secret: StoreSecret,
  absence: Absence,
  { nowMs, place }: Now,
): SecretOutcome<never> | undefined => {
  const { key } = secret.external
  // Of another place nothing is known.
  const { missingSince, ...rest } = secret.last.place === place ? secret.last : {}
  const before = withServedEnd(secret, rest)
  if (absence.absent === 'missing') {
    const since = missingSince ?? toTimestamp(nowMs)
    const message = `the store has no "${key}"${served(secret)}`
    const last = { ...before, place, missingSince: since }
    return news({ secret, last, fresh: no('MissingUpstream', message) })
  }
  const last = { ...before, place }
  if (absence.absent === 'forbidden') {
    const message = `the credential of the store may not read "${key}"${served(secret)}`
    return news({ secret, last, fresh: no('ForbiddenUpstream', message) })
  }
  const why = 'why' in absence ? absence.why : 'the store does not say why'
  const message = `${why}${served(secret)}`
  return news({ secret, last, fresh: no('Refused', message) })
}

/** Of a new place, or after an answer that said nothing of the value. */
const knowsNothing = ({ last, fresh }: StoreSecret, place: string): boolean =>
  last.place !== place ||
  last.version === undefined ||
  last.missingSince !== undefined ||
  fresh === undefined ||
  ['ForbiddenUpstream', 'NotAllowed', 'StoreMissing', 'MissingUpstream'].includes(fresh.reason)

export const isNew = ({ last, fresh }: StoreSecret, place: string): boolean =>
  last.place !== place ||
  fresh === undefined ||
  ['NotAllowed', 'StoreMissing'].includes(fresh.reason)

/** What a look says: fetch it, write this, or nothing new. */
export const decideSeen = (
  secret: StoreSecret,
  found: Found | Absence,
  now: Now,
): 'fetch' | SecretOutcome<never> | undefined => {
  if ('absent' in found) return absent(secret, found, now)
  if (knowsNothing(secret, now.place) || secret.last.version !== found.version) return 'fetch'
  // Of a value that was refused it is not the end of what is served.
  if (!['Checked', 'Stale'].includes(secret.fresh?.reason ?? '')) return undefined
  return news({ secret, last: withEnd(secret.last, found.expiresAt), fresh: checked })
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
  const again = secret.last.place === place && secret.last.version === version
  const fetchedAt = again ? secret.last.fetchedAt : toTimestamp(nowMs)
  const last = { version, place, ...defined({ fetchedAt }) }
  const refuse = (reason: string, why: string): SecretOutcome<never> | undefined =>
    news({
      secret,
      last: withServedEnd(secret, last),
      fresh: no(reason, `${why}${served(secret)}`),
    })
  const cut = cutProperty(answer.value, secret.external.property)
  if ('fault' in cut) return refuse(cut.fault, cut.why)
  if (cut.value.length === 0) return refuse('Refused', 'the store answers with an empty value')
  const [fault] = checkValue(secret.spec, cut.value)
  if (fault !== undefined) return refuse('Refused', fault.message)
  // A look that went back in time brings the value of before: it makes no version.
  return { secret, value: cut.value, last: withEnd(last, expiresAt), fresh: checked }
}

interface Removal {
  /** Secrets that go. */
  readonly remove: readonly StoreSecret[]
  readonly areDeletionsHeld: boolean
}

/** After a whole look. `missing`: those that the store no longer has. */
export const decideRemoval = (
  missing: readonly StoreSecret[],
  facts: {
    readonly all: number
    readonly everyMs: number
    readonly nowMs: number
    readonly areDeletionsHeld: boolean
    readonly isResumed: boolean
  },
): Removal => {
  const { all, everyMs, nowMs, isResumed } = facts
  const had = missing.filter(({ hasValue }) => hasValue)
  const areDeletionsHeld = !isResumed && (facts.areDeletionsHeld || had.length * 2 > all)
  if (areDeletionsHeld) return { remove: [], areDeletionsHeld }
  // Who resumes has seen what is missing, and does not resume again for what is missing for less.
  const isOver = ({ last: { missingSince } }: StoreSecret): boolean =>
    missingSince !== undefined && (isResumed || nowMs - Date.parse(missingSince) >= everyMs)
  return { remove: had.filter(isOver), areDeletionsHeld: false }
}
