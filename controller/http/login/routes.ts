// Login of people at the OpenID provider, for the command line (browser.ts: in a browser):
//   GET  /auth/login     → the provider (state, nonce, PKCE)
//   GET  /auth/callback  → the person's own loopback address, with a code that is valid once, for a minute
//   POST /auth/token     ← that code, and the verifier that only the command line knows
// INVARIANTS: redirects go only to the provider and to a loopback address; nobody gets a token from a
// URL of this flow alone; nothing of it is logged.
import * as z from 'zod'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { App, AppContext } from '../env.ts'
import { parseJson, readBytes } from '../kube/body.ts'
import { noteDenied } from '../note-denied.ts'
import { finishInBrowser } from './browser.ts'
import { callbackUrl, checksOf, identityOf, type LoginDeps } from './deps.ts'
import { parseState, renderState } from './state.ts'

/** A working day: people log in at the provider every day. */
const tokenMs = 12 * 3_600_000

const loginQuery = z.strictObject({
  // Exactly this form, so that there is no open redirect: only the person's own machine.
  redirect_uri: z.string().regex(/^http:\/\/(127\.0\.0\.1|\[::1\]):\d{2,5}\/callback$/),
  state: z.string().regex(/^[\w-]{20,200}$/),
  code_challenge: z.string().regex(/^[\w-]{43}$/),
  code_challenge_method: z.literal('S256'),
})

const maxTokenBody = 4 * 1024

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
    c.header('referrer-policy', 'no-referrer')
  })
  app.get('/auth/login', (c) => startLogin(c, deps))
  app.get('/auth/callback', (c) => unlessTooMany(c, deps, () => finishLogin(c, deps)))
  app.post('/auth/token', (c) => unlessTooMany(c, deps, () => giveToken(c, deps)))
}

/** Limited by address: nobody is known yet. */
const unlessTooMany = async (
  c: AppContext,
  { failureLimit }: LoginDeps,
  answer: () => Promise<Response>,
): Promise<Response> => {
  await failureLimit.check(c.get('address'))
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
  const url = await deps.provider.authorizationUrl(callbackUrl(deps), checksOf(deps.key, state))
  return c.redirect(url.href, 302)
}

const finishLogin = async (c: AppContext, deps: LoginDeps): Promise<Response> => {
  const state = c.req.query('state') ?? ''
  const login = parseState(deps.key, state, deps.clock.now())
  if (login === undefined || (await deps.logins.isTaken(state)))
    throw new StagelyError('BadRequest', 'this login is not known or too old: begin again')
  if ('returnTo' in login) return finishInBrowser(c, deps, { state, login })
  const back = new URL(login.redirectUri)
  back.searchParams.set('state', login.clientState)
  try {
    const identity = await identityOf(c, deps, state)
    const { user, code } = await deps.logins.finish(identity, { state, ...login })
    deps.log.info({ user: user.name, requestId: c.get('requestId') }, 'a person logged in')
    back.searchParams.set('code', code)
  } catch (error) {
    // The command line waits for an answer, and shows the error.
    if (!(error instanceof StagelyError)) throw error
    await deps.failureLimit.count(c.get('address'))
    await noteDenied(c, error, deps.denied)
    deps.log.warn({ reason: error.message, requestId: c.get('requestId') }, 'a login was refused')
    back.searchParams.set('error', error.message.slice(0, 300))
  }
  return c.redirect(back.href, 302)
}

const giveToken = async (c: AppContext, deps: LoginDeps): Promise<Response> => {
  const body = decoded(tokenBody, parseJson(await readBytes(c, maxTokenBody)))
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
