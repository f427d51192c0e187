// POST /auth/exchange: a job of a CI gives the token of its own service, and gets one of ours (RFC 8693).
import { defined } from '../../../src/kernel/defined.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import { httpStatusOf, isReason, StagelyError } from '../../../src/kernel/errors.ts'
import { refOf } from '../../../src/resources/meta.ts'
import type { Typed } from '../../../src/kinds/typed.ts'
import type { ExchangedTokens } from '../../../src/store/people/exchanged-tokens.ts'
import type { CreatedToken } from '../../../src/store/people/tokens.ts'
import { systemSource } from '../../../src/store/core/actor.ts'
import type { Actor, Store } from '../../../src/store/store.ts'
import type { DeniedLog } from '../denied.ts'
import type { IssuerKeys } from '../../trust/issuer-keys.ts'
import {
  readClaimed,
  RefusedIdentity,
  vouchFor,
  type ClaimedIdentity,
} from '../../trust/vouched-job.ts'
import type { App, AppContext } from '../env.ts'
import { mediaType, readBytes } from '../kube/body.ts'
import type { FailureLimit } from '../rate-limit.ts'

interface ExchangeDeps {
  readonly store: Store
  readonly exchanged: Pick<ExchangedTokens, 'exchange'>
  readonly keys: IssuerKeys
  readonly clock: Clock
  readonly denied: DeniedLog
  readonly failureLimit: FailureLimit
}

const mostBytes = 24_576
const mostIssuers = 20
const mostNoted = 300

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const typeOf = (word: string): string => `urn:ietf:params:oauth:token-type:${word}`

type ErrorWord =
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'

/** An error of the protocol, which is no attempt to get in. */
class FormFault extends Error {
  readonly word: ErrorWord

  constructor(word: ErrorWord, message: string) {
    super(message)
    this.word = word
  }
}

interface Asked {
  readonly token: string
  readonly team: string
}

/** FormFault for a request that is none of this protocol, or that asks for what is not given. */
const readForm = async (c: AppContext): Promise<Asked> => {
  if (mediaType(c) !== 'application/x-www-form-urlencoded')
    throw new FormFault(
      'invalid_request',
      'send the parameters as application/x-www-form-urlencoded',
    )
  const form = new URLSearchParams((await readBytes(c, mostBytes)).toString('utf8'))
  const names = [...form.keys()]
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice !== undefined) throw new FormFault('invalid_request', 'a parameter is given twice')
  if (form.get('grant_type') !== grantType)
    throw new FormFault('unsupported_grant_type', `grant_type must be ${grantType}`)
  if (!['jwt', 'id_token'].map(typeOf).includes(form.get('subject_token_type') ?? ''))
    throw new FormFault('invalid_request', `subject_token_type must be ${typeOf('jwt')}`)
  const wanted = form.get('requested_token_type')
  if (wanted !== null && wanted !== typeOf('access_token'))
    throw new FormFault('invalid_request', `only ${typeOf('access_token')} is given`)
  if (form.has('actor_token')) throw new FormFault('invalid_request', 'actor_token is not taken')
  if (form.has('scope'))
    throw new FormFault('invalid_scope', 'the rule says the rights: leave scope out')
  if (form.has('resource')) throw new FormFault('invalid_target', 'name the team by audience')
  const team = form.get('audience') ?? ''
  if (team === '') throw new FormFault('invalid_request', 'audience is missing: name the team')
  const token = form.get('subject_token') ?? ''
  if (token === '') throw new FormFault('invalid_request', 'subject_token is missing')
  return { token, team }
}

/** A stranger does not learn which teams there are, and whom they trust. */
const nobodyTrusts = (why: string): RefusedIdentity =>
  new RefusedIdentity(
    'Issuer',
    'no TrustedIssuer of this team takes tokens of this issuer for this audience; the audit log of the team says more',
    why,
  )

/** Those of the team that take tokens of this issuer for this audience. */
const issuersOf = async (
  { store }: ExchangeDeps,
  team: string,
  { issuer, audience }: ClaimedIdentity,
): Promise<Typed<'TrustedIssuer'>[]> => {
  const { items } = await store.list('TrustedIssuer', { namespace: team })
  const same = items.filter(({ spec }) => spec.issuer === issuer)
  if (same.length === 0) throw nobodyTrusts('the issuer is of no TrustedIssuer')
  const fit = same.filter(({ spec }) => spec.audience === audience)
  if (fit.length === 0) throw nobodyTrusts('the audience is of no TrustedIssuer of this issuer')
  return fit.slice(0, mostIssuers)
}

const exchange = async (
  c: AppContext,
  deps: ExchangeDeps,
  { team, claimed }: { readonly team: string; readonly claimed: ClaimedIdentity },
): Promise<CreatedToken> => {
  let refused: RefusedIdentity | undefined
  for (const trusted of await issuersOf(deps, team, claimed)) {
    try {
      const { keys, clock } = deps
      const allowed = await vouchFor(trusted, claimed, { keys, now: clock.now() })
      const { namespace, name } = refOf(trusted)
      return await deps.exchanged.exchange(actorFor(c, `issuer:${namespace}/${name}`), allowed)
    } catch (error) {
      if (!(error instanceof RefusedIdentity)) throw error
      // What comes nearest to a token is told: the rules of one of them were asked.
      if (refused?.word !== 'Rule') refused = error
    }
  }
  throw refused ?? nobodyTrusts('no TrustedIssuer')
}

const actorFor = (c: AppContext, name: string): Actor => ({
  name,
  source: systemSource,
  authority: 'whole',
  address: c.get('address'),
  requestId: c.get('requestId'),
})

/** Without the token. What it claims is said to be claimed: anybody may have written it. */
const noteRefused = async (
  c: AppContext,
  { store, denied }: ExchangeDeps,
  {
    team,
    claimed,
    reason,
  }: {
    readonly team: string
    readonly claimed: ClaimedIdentity | undefined
    readonly reason: string
  },
): Promise<void> => {
  const isTeam = (await store.get({ kind: 'Namespace', namespace: '', name: team })) !== undefined
  const { issuer, subject, audience } = claimed ?? {}
  const noted = (text: string | undefined): string | undefined => text?.slice(0, mostNoted)
  await denied.record({
    actor: actorFor(c, 'anonymous'),
    namespace: isTeam ? team : '',
    method: c.req.method,
    route: c.req.path,
    path: c.req.path,
    status: httpStatusOf.BadRequest,
    why: 'Exchange',
    detail: defined({
      reason,
      claimedIssuer: noted(issuer),
      claimedSubject: noted(subject),
      claimedAudience: noted(audience),
    }),
  })
}

/** What `error_description` may hold. */
const described = (text: string): string =>
  text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')

const answerError = (
  c: AppContext,
  error: ErrorWord,
  { text, status = 400 }: { readonly text: string; readonly status?: 400 | 413 | 429 | 503 },
): Response => c.json({ error, error_description: described(text) }, status)

const answerFault = (c: AppContext, error: unknown): Response => {
  if (error instanceof FormFault) return answerError(c, error.word, { text: error.message })
  if (error instanceof RefusedIdentity && error.word === 'IssuerAway')
    return answerError(c, 'temporarily_unavailable', { text: error.message, status: 503 })
  if (error instanceof RefusedIdentity)
    return answerError(c, error.word === 'Issuer' ? 'invalid_target' : 'invalid_request', {
      text: error.message,
    })
  if (!(error instanceof StagelyError)) throw error
  const { reason, details, message: text } = error
  if (reason === 'Unauthorized') return answerError(c, 'invalid_request', { text })
  if (reason === 'RequestEntityTooLarge')
    return answerError(c, 'invalid_request', { text, status: 413 })
  if (details.retryAfterSeconds !== undefined)
    c.header('retry-after', String(details.retryAfterSeconds))
  if (reason === 'TooManyRequests')
    return answerError(c, 'temporarily_unavailable', { text, status: 429 })
  if (reason === 'Conflict' || reason === 'ServiceUnavailable')
    return answerError(c, 'temporarily_unavailable', { text, status: 503 })
  throw error
}

const attempt = async (c: AppContext, deps: ExchangeDeps): Promise<Response> => {
  const { failureLimit, clock } = deps
  await failureLimit.check(c.get('address'))
  const { team, token } = await readForm(c)
  let claimed: ClaimedIdentity | undefined
  try {
    claimed = readClaimed(token)
    const { secret, token: made } = await exchange(c, deps, { team, claimed })
    return c.json({
      access_token: secret,
      issued_token_type: typeOf('access_token'),
      token_type: 'Bearer',
      expires_in: Math.floor(((made.expiresAt ?? 0) - clock.now()) / 1_000),
    })
  } catch (error) {
    const isReplayed = isReason(error, 'Unauthorized')
    if (!(error instanceof RefusedIdentity) && !isReplayed) throw error
    await failureLimit.count(c.get('address'))
    const why = error instanceof RefusedIdentity ? error.why : undefined
    const word = error instanceof RefusedIdentity ? error.word : 'Replayed'
    const reason = `${word}: ${error.message}${why === undefined ? '' : ` (${why})`}`
    await noteRefused(c, deps, { team, claimed, reason })
    throw error
  }
}

export const mountExchange = (app: App, deps: ExchangeDeps): void => {
  app.post('/auth/exchange', async (c) => {
    c.header('cache-control', 'no-store')
    try {
      return await attempt(c, deps)
    } catch (error) {
      return answerFault(c, error)
    }
  })
}
