// Login of a browser at the OpenID provider:
//   GET /api/v1/auth/web/login → the provider, and a cookie that holds the state
//   GET /auth/callback         → a page of the dashboard, and the session's cookie
// INVARIANTS: redirects go only to the provider and to pages of the dashboard; a login ends in the
// browser that began it.
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { Identity } from '../../../src/store/people/identities.ts'
import { skewMs } from '../../../src/store/people/session-times.ts'
import type { AppContext } from '../env.ts'
import { browserNameOf } from '../browser-name.ts'
import { noteDenied } from '../note-denied.ts'
import { endedLoginCookie, refusedLoginCookie, sessionCookie } from '../session-cookie.ts'
import { callbackUrl, checksOf, identityOf, type LoginDeps } from './deps.ts'
import { renderState, startedMs, type StartedInBrowser } from './state.ts'

export interface BrowserLoginStart {
  readonly returnTo: string
  /** Id of the session whose person is to prove again who they are. */
  readonly confirms: string | undefined
}

/** Where the browser goes, and what its cookie holds. */
export const beginInBrowser = async (
  deps: LoginDeps,
  { returnTo, confirms }: BrowserLoginStart,
): Promise<{ url: string; state: string }> => {
  const login = { returnTo, ...defined({ confirms }) }
  const state = renderState(deps.key, login, deps.clock.now())
  const isFresh = confirms !== undefined
  const checks = checksOf(deps.key, state)
  const url = await deps.provider.authorizationUrl(callbackUrl(deps), checks, { isFresh })
  return { url: url.href, state }
}

const tokenOfAdmin =
  'confirm with a token that an admin makes for you (stagely token create NAME --user YOU)'

/** Forbidden where the provider has only looked at an older login. */
const requireFresh = ({ authenticatedAt, email }: Identity, login: StartedInBrowser): void => {
  if ((authenticatedAt ?? 0) >= login.expiresAt - startedMs - skewMs) return
  const message =
    authenticatedAt === undefined
      ? `the provider does not say when you logged in (auth_time), so that a login there confirms nothing: ${tokenOfAdmin}`
      : `the provider did not ask you to log in again: ${tokenOfAdmin}`
  throw new StagelyError('Forbidden', message, { denied: { why: 'Login', actorName: email } })
}

const enter = async (
  c: AppContext,
  deps: LoginDeps,
  { state, login }: { state: string; login: StartedInBrowser },
): Promise<string | undefined> => {
  const identity = await identityOf(c, deps, { state, isFresh: login.confirms !== undefined })
  const name = browserNameOf(c.req.header('user-agent') ?? null)
  const browser = { address: c.get('address'), name }
  const ending = { state, expiresAt: login.expiresAt, browser, requestId: c.get('requestId') }
  if (login.confirms !== undefined) {
    requireFresh(identity, login)
    await deps.logins.confirmInBrowser(identity, ending, login.confirms)
    return undefined
  }
  const { user, opened } = await deps.logins.finishInBrowser(identity, ending)
  deps.log.info({ user: user.name, requestId: c.get('requestId') }, 'a person logged in')
  return opened.secret
}

/** Back to the dashboard, with the reason why the person is not logged in. */
export const refuseInBrowser = async (
  c: AppContext,
  deps: LoginDeps,
  { error, returnTo }: { readonly error: StagelyError; readonly returnTo: string },
): Promise<Response> => {
  await noteDenied(c, error, deps.denied)
  deps.log.warn({ reason: error.message, requestId: c.get('requestId') }, 'a login was refused')
  const why = { error: error.message.slice(0, 300), return_to: returnTo }
  c.header('set-cookie', refusedLoginCookie(deps.base, why.error), { append: true })
  return c.redirect(`/ui/login?${new URLSearchParams(why).toString()}`, 303)
}

/** Back to the dashboard: logged in, or with the reason why not. */
export const finishInBrowser = async (
  c: AppContext,
  deps: LoginDeps,
  given: { state: string; login: StartedInBrowser },
): Promise<Response> => {
  const { returnTo } = given.login
  c.header('set-cookie', endedLoginCookie(deps.base, 'browser'), { append: true })
  try {
    const secret = await deps.loginLimit.attempt(c.get('address'), () => enter(c, deps, given))
    if (secret !== undefined)
      c.header('set-cookie', sessionCookie(deps.base, secret), { append: true })
    return c.redirect(returnTo, 303)
  } catch (error) {
    // A person waits for a page, which shows the error.
    if (!(error instanceof StagelyError)) throw error
    await deps.failureLimit.count(c.get('address'))
    return refuseInBrowser(c, deps, { error, returnTo })
  }
}
