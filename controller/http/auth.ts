// Bearer tokens: who is logged in, and whether the login is still valid. Each route checks the rights
// itself.
import { hash as digestOf } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { samePrincipal, type Principal } from '../../src/access/principal.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError, messageOf, type DeniedAttempt } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { tokenPrefixes } from '../../src/store/people/tokens.ts'
import type { AppContext, AppEnv } from './env.ts'
import type { FailureLimit } from './rate-limit.ts'
import { requireCsrf, requireOwnPage, sessionSecretIn, type Base } from './session-cookie.ts'

export interface TokenVerifier {
  /** undefined for an invalid or expired token. `isRequest: false`: a session goes on resting. */
  verify(token: string, isRequest?: boolean): Promise<Principal | undefined>
  /** The owner of a token that was valid once. */
  refusalOf(token: string): Promise<DeniedAttempt | undefined>
  /** Calls `listener` after a change of users, members or tokens; returns a function that stops this. */
  onChange(listener: () => void): () => void
}

interface AuthenticatorDeps {
  readonly tokens: TokenVerifier
  readonly clock: Clock
  readonly log: Logger
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal
}

type End = (what: 'token' | 'session') => string

const ends: Partial<Record<DeniedAttempt['why'], End>> = {
  TokenExpired: (what) => `the ${what} has expired`,
  TokenRevoked: (what) => `the ${what} was revoked`,
  UserDisabled: (what) => `the user of this ${what} is disabled`,
}

const isSession = (token: string): boolean => token.startsWith(tokenPrefixes.session)

export const refusalOfLogin = (denied: DeniedAttempt, what: 'token' | 'session'): StagelyError =>
  new StagelyError('Unauthorized', ends[denied.why]?.(what) ?? 'Unauthorized', { denied })

const impersonation = /^impersonate-/i
const rememberedMs = 5_000
const rememberedTokens = 1_000
/** Interval of checks for changes without a notification (by another controller, or a token's expiry). */
const recheckMs = 5_000
/** Open watches and streams of one person or machine, whatever the number of tokens. */
const maxStreams = 2_000

const hashOf = (token: string): string => digestOf('sha256', token, 'base64')

/** Why a stream ends: its login did, or has other rights now. */
export class EndOfStream extends Error {
  override readonly name = 'AbortError'
  readonly why: 'login' | 'rights'

  constructor(why: EndOfStream['why']) {
    super(`the stream ends: ${why}`)
    this.why = why
  }
}

interface Follower {
  readonly token: string
  readonly principal: Principal
  readonly end: (why: EndOfStream['why']) => void
}

/**
 * Caches valid tokens for 5 s, so that a busy client does not cause a query for each request. Ends open
 * streams when their login ends or its rights change. A change in this process takes effect with its
 * commit.
 */
export class Authenticator {
  readonly #tokens: TokenVerifier
  readonly #clock: Clock
  readonly #log: Logger
  /** By hash of the token. */
  readonly #principals = new Map<string, { principal: Principal; until: number }>()
  /** Hashes of tokens that were valid when they were last checked; the newest last. */
  readonly #good = new Set<string>()
  readonly #followers = new Set<Follower>()
  /** Number of open watches and streams, by id of the principal. */
  readonly #streams = new Map<string, number>()
  /** Number of changes: a result from before a change is not cached after it. */
  #changes = 0
  #checking: Promise<void> | undefined
  #checkAgain = false

  constructor({ tokens, clock, log, stopping }: AuthenticatorDeps) {
    this.#tokens = tokens
    this.#clock = clock
    this.#log = log
    const stopListening = tokens.onChange(() => this.forget())
    const timer = setInterval(() => this.#recheck(), recheckMs).unref()
    const stop = (): void => {
      clearInterval(timer)
      stopListening()
    }
    stopping.addEventListener('abort', stop, { once: true })
  }

  /** Logins may have changed: each is asked for anew. */
  forget(): void {
    this.#changes++
    this.#principals.clear()
    this.#recheck()
  }

  /**
   * `checkUnknown` is called for a token that was not valid here before: other clients' failures from the
   * same address do not block one that was.
   */
  verify(
    token: string,
    checkUnknown: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Principal | undefined> {
    return this.#verify(token, checkUnknown)
  }

  /** `checkUnknown` undefined: not for a request. */
  async #verify(
    token: string,
    checkUnknown: (() => Promise<void>) | undefined,
  ): Promise<Principal | undefined> {
    const hash = hashOf(token)
    const entry = this.#principals.get(hash)
    if (entry !== undefined && entry.until > this.#clock.now()) return entry.principal
    this.#principals.delete(hash)
    const isRequest = checkUnknown !== undefined
    if (!this.#good.has(hash)) await checkUnknown?.()
    const before = this.#changes
    const principal = await this.#tokens.verify(token, isRequest)
    this.#noteGood(hash, principal !== undefined)
    // Otherwise requests would find what a check of streams has cached, and not count as use.
    if (!isRequest || principal === undefined || before !== this.#changes) return principal
    if (this.#principals.size >= rememberedTokens) this.#principals.clear()
    const until = Math.min(this.#clock.now() + rememberedMs, principal.expiresAt ?? Infinity)
    this.#principals.set(hash, { principal, until })
    return principal
  }

  #noteGood(hash: string, good: boolean): void {
    this.#good.delete(hash)
    if (!good) return
    this.#good.add(hash)
    const [oldest] = this.#good
    if (this.#good.size > rememberedTokens && oldest !== undefined) this.#good.delete(oldest)
  }

  /**
   * The error for an invalid token. Only a client with a token that was valid once learns why it no
   * longer is.
   */
  async refuse(token: string | undefined): Promise<StagelyError> {
    const denied = token === undefined ? undefined : await this.#tokens.refusalOf(token)
    if (denied === undefined) return new StagelyError('Unauthorized', 'Unauthorized')
    return refusalOfLogin(denied, token !== undefined && isSession(token) ? 'session' : 'token')
  }

  /**
   * Aborts when the login ends or its rights change, with an EndOfStream as the reason; watched until
   * `until` aborts.
   */
  follow(token: string, principal: Principal, until: AbortSignal): AbortSignal {
    const controller = new AbortController()
    const follower: Follower = {
      token,
      principal,
      end: (why) => {
        this.#followers.delete(follower)
        controller.abort(new EndOfStream(why))
      },
    }
    if (until.aborted) return controller.signal
    const own = this.#streams.get(principal.id) ?? 0
    if (own >= maxStreams)
      throw new StagelyError(
        'TooManyRequests',
        `you have ${maxStreams} watches and streams open: end some of them`,
        { retryAfterSeconds: 10 },
      )
    this.#streams.set(principal.id, own + 1)
    this.#followers.add(follower)
    const left = (): void => {
      this.#followers.delete(follower)
      this.#leave(principal.id)
    }
    until.addEventListener('abort', left, { once: true })
    return controller.signal
  }

  #leave(principalId: string): void {
    const left = (this.#streams.get(principalId) ?? 1) - 1
    if (left > 0) this.#streams.set(principalId, left)
    else this.#streams.delete(principalId)
  }

  #recheck(): void {
    if (this.#followers.size === 0) return
    this.#checkAgain = true
    this.#checking ??= this.#checkAll()
  }

  async #checkAll(): Promise<void> {
    while (this.#checkAgain) {
      this.#checkAgain = false
      const now = new Map<string, Principal | undefined>()
      try {
        for (const follower of [...this.#followers]) {
          const { token, principal, end } = follower
          if (!now.has(token)) now.set(token, await this.#verify(token, undefined))
          const current = now.get(token)
          if (current === undefined) end('login')
          else if (!samePrincipal(current, principal)) end('rights')
        }
      } catch (error) {
        this.#log.warn({ err: messageOf(error) }, 'open streams could not be checked; trying again')
      }
    }
    // In the same step as the last check, so that no change in between is lost.
    this.#checking = undefined
  }
}

interface Login {
  readonly authenticator: Authenticator
  readonly failures: FailureLimit
  readonly base: Base
  /** True for paths at which the cookie of a session counts. */
  readonly takesCookie: (path: string) => boolean
}

/** The token of a request, or the secret of its session. */
const credentialOf = (c: AppContext, { base, takesCookie }: Login): string | undefined => {
  const header = c.req.header('authorization')
  if (header === undefined) {
    const secret = takesCookie(c.req.path) ? sessionSecretIn(base, c.req.raw.headers) : undefined
    if (secret !== undefined) requireOwnPage(base, c.req.raw.headers, { isBrowser: true })
    return secret
  }
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1]
  // The secret of a session counts as a cookie only.
  return token === undefined || isSession(token) ? undefined : token
}

/**
 * 401 without a valid token or session; 403 for a session that another page makes use of, and for
 * impersonation, which would otherwise be ignored silently; 429 for an unknown token from an address
 * that has sent too many of them.
 */
export const requireLogin =
  (login: Login): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const { authenticator, failures } = login
    const token = credentialOf(c, login)
    if (token === undefined) throw await authenticator.refuse(undefined)
    const user = await authenticator.verify(token, () => failures.check(c.get('address')))
    if (user === undefined) {
      await failures.count(c.get('address'))
      throw await authenticator.refuse(token)
    }
    c.set('user', user)
    if (Object.keys(c.env.incoming.headers).some((name) => impersonation.test(name)))
      throw new StagelyError('Forbidden', 'impersonation is not supported: log in as that user')
    if (user.session !== undefined) requireCsrf(token, c.req.method, c.req.raw.headers)
    c.set('whileLoggedIn', (until) => authenticator.follow(token, user, until))
    await next()
  }
