// Login of people at the OpenID provider, for the command line (browser.ts: in a browser):
//   GET  /auth/login     → the provider (state, nonce, PKCE), which asks who it is in any case
//   GET  /auth/callback  → a page that asks whether the command line may log in (allow.ts)
//   POST /auth/allow     → the person's own loopback address, with a code that is valid once, for a minute
//   POST /auth/token     ← that code, and the verifier that only the command line knows
// INVARIANTS: redirects go only to the provider and to a loopback address; nobody gets a token from a
// URL of this flow alone; nothing of it is logged; a login ends in the browser that began it; only what
// this browser has begun counts as a failure of its address, so that no other site can close it.
import * as z from 'zod'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { App, AppContext } from '../env.ts'
import { parseKubeJson, readBytes } from '../kube/body.ts'
import { noteDenied } from '../note-denied.ts'
import { endedLoginCookie, hasBegun, loginCookie, requireOwnPage } from '../session-cookie.ts'
import { askPerson, parseTicket } from './allow.ts'
import { finishInBrowser, refuseInBrowser } from './browser.ts'
import { callbackUrl, checksOf, identityOf, type LoginDeps } from './deps.ts'
import { parseState, renderState, type StartedByCommand } from './state.ts'

/** A working day: people log in at the provider every day. */
const tokenMs = 12 * 3_600_000

const loginQuery = z.strictObject({
  // Exactly this form, so that there is no open redirect: only the person's own machine.
  redirect_uri: z
    .string()
    .regex(/^http:\/\/(127\.0\.0\.1|\[::1\]):\d{2,5}\/callback$/)
    .refine((url) => URL.canParse(url)),
  state: z.string().regex(/^[\w-]{20,200}$/),
  code_challenge: z.string().regex(/^[\w-]{43}$/),
  code_challenge_method: z.literal('S256'),
})

const maxTokenBody = 4 * 1024
const maxForm = 64 * 1024

const tokenBody = z.strictObject({
  code: z.string().regex(/^[\w-]{43}$/),
  code_verifier: z.string().regex(/^[\w.~-]{43,128}$/),
  name: z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._@-]{0,61}[A-Za-z0-9])?$/),
})

const decoded = <T>(schema: z.ZodType<T>, input: unknown): T => {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const fields = [...new Set(result.error.issues.map((issue) => issue.path.join('.')))]
  throw new StagelyError('BadRequest', `not valid: ${fields.join(', ')}`)
}

export const mountLogin = (app: App, deps: LoginDeps): void => {
  app.use('/auth/*', async (c, next) => {
    await next()
    c.header('cache-control', 'no-store')
    if (c.res.headers.get('referrer-policy') === null) c.header('referrer-policy', 'no-referrer')
  })
  app.get('/auth/login', (c) => startLogin(c, deps))
  app.get('/auth/callback', (c) => finishLogin(c, deps))
  app.post('/auth/allow', (c) => answerOfPerson(c, deps))
  app.post('/auth/token', async (c) => {
    await deps.failureLimit.check(c.get('address'))
    return counted(c, deps, () => giveToken(c, deps))
  })
}

/** Its failures count for the address: nobody is known yet, and each costs a request to the provider or the database. */
const counted = async (
  c: AppContext,
  { failureLimit }: LoginDeps,
  answer: () => Promise<Response>,
): Promise<Response> => {
  try {
    return await answer()
  } catch (error) {
    await failureLimit.count(c.get('address'))
    throw error
  }
}

const startLogin = async (c: AppContext, deps: LoginDeps): Promise<Response> => {
  const query = decoded(loginQuery, c.req.query())
  const login = {
    redirectUri: query.redirect_uri,
    clientState: query.state,
    challenge: query.code_challenge,
  }
  const state = renderState(deps.key, login, deps.clock.now())
  // Who can only reach the browser of somebody who is logged in at the provider gets no token by it.
  const isFresh = true
  const checks = checksOf(deps.key, state)
  const url = await deps.provider.authorizationUrl(callbackUrl(deps), checks, { isFresh })
  c.header('set-cookie', loginCookie(deps.base, 'command', state))
  return c.redirect(url.href, 302)
}

const unknownLogin = (): StagelyError =>
  new StagelyError('BadRequest', 'this login is not known or too old: begin again')

const otherBrowser = (): StagelyError =>
  new StagelyError('Forbidden', 'this login was begun in another browser: begin again', {
    denied: { why: 'Login' },
  })

const finishLogin = async (c: AppContext, deps: LoginDeps): Promise<Response> => {
  await deps.failureLimit.check(c.get('address'))
  const state = c.req.query('state') ?? ''
  const login = parseState(deps.key, state, deps.clock.now())
  if (login === undefined) throw unknownLogin()
  const isBrowser = 'returnTo' in login
  const of = isBrowser ? 'browser' : 'command'
  if (!hasBegun(deps.base, of, c.req.raw.headers, state)) {
    if (!isBrowser) throw otherBrowser()
    return refuseInBrowser(c, deps, { error: otherBrowser(), returnTo: login.returnTo })
  }
  return counted(c, deps, async () => {
    if (await deps.logins.isTaken(state)) throw unknownLogin()
    if (isBrowser) return finishInBrowser(c, deps, { state, login })
    return toCommandLine(c, deps, login, async () => {
      const identity = await identityOf(c, deps, { state, isFresh: true })
      return askPerson(c, deps, { state, login, identity })
    })
  })
}

/** What the person says on the page. Only that page, in the browser of the login, can say it. */
const answerOfPerson = async (c: AppContext, deps: LoginDeps): Promise<Response> => {
  requireOwnPage(deps.base, c.req.raw.headers, { isBrowser: true })
  await deps.failureLimit.check(c.get('address'))
  const form = new URLSearchParams((await readBytes(c, maxForm)).toString('utf8'))
  const waiting = parseTicket(deps.key, form.get('ticket') ?? '', deps.clock.now())
  if (waiting === undefined) throw unknownLogin()
  const { state, login, identity } = waiting
  if (!hasBegun(deps.base, 'command', c.req.raw.headers, state)) throw otherBrowser()
  c.header('set-cookie', endedLoginCookie(deps.base, 'command'))
  return toCommandLine(c, deps, login, async (back) => {
    if (form.get('answer') !== 'allow')
      throw new StagelyError('Forbidden', 'you did not allow this command line to log in')
    const { user, code } = await deps.logins.finish(identity, { state, ...login })
    deps.log.info({ user: user.name, requestId: c.get('requestId') }, 'a person logged in')
    back.searchParams.set('code', code)
    return c.redirect(back.href, 303)
  })
}

/** The command line waits for an answer, and shows an error. */
const toCommandLine = async (
  c: AppContext,
  deps: LoginDeps,
  login: StartedByCommand,
  answer: (back: URL) => Promise<Response> | Response,
): Promise<Response> => {
  const back = new URL(login.redirectUri)
  back.searchParams.set('state', login.clientState)
  try {
    return await answer(back)
  } catch (error) {
    if (!(error instanceof StagelyError)) throw error
    await deps.failureLimit.count(c.get('address'))
    await noteDenied(c, error, deps.denied)
    deps.log.warn({ reason: error.message, requestId: c.get('requestId') }, 'a login was refused')
    back.searchParams.set('error', error.message.slice(0, 300))
    return c.redirect(back.href, 303)
  }
}

const giveToken = async (c: AppContext, deps: LoginDeps): Promise<Response> => {
  const body = decoded(tokenBody, parseKubeJson(await readBytes(c, maxTokenBody)))
  const wanted = { name: body.name, ttlMs: tokenMs }
  const { secret, token } = await deps.logins.exchange(body.code, body.code_verifier, wanted)
  const expires = token.expiresAt
  return c.json(
    {
      token: secret,
      name: token.name,
      user: token.owner,
      ...(expires !== undefined && { expires_at: toTimestamp(expires) }),
    },
    201,
  )
}
