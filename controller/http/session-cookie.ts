// The cookie of a browser's session, and where it counts: only in requests of this controller's own
// pages. Other sites, and other ports of the same host, get the browser to send it too; the browser then
// says that the request is not ours.
import { createHmac } from 'node:crypto'
import { StagelyError } from '../../src/kernel/errors.ts'
import { sameText } from '../../src/kernel/same-text.ts'
import { tokenPrefixes } from '../../src/store/people/tokens.ts'

/** Base URL of this controller, as browsers name it. */
export type Base = () => string

/** Plain HTTP is for loopback only; browsers take no cookie with these attributes from it. */
const isSecure = (base: Base): boolean => base().startsWith('https:')

const nameOf = (base: Base, name: string): string => (isSecure(base) ? `__Host-${name}` : name)

const render = (base: Base, name: string, value: string, attributes: string): string =>
  `${nameOf(base, name)}=${value}; Path=/; ${isSecure(base) ? 'Secure; ' : ''}${attributes}`

/** No Max-Age: the browser forgets it when it closes. */
export const sessionCookie = (base: Base, secret: string): string =>
  render(base, 'stagely', secret, 'HttpOnly; SameSite=Strict')

export const endedSessionCookie = (base: Base): string => `${sessionCookie(base, '')}; Max-Age=0`

const loginMs = 600_000

/** What is logged in: the browser itself, or a command line. One of each may be under way. */
type LoginOf = 'browser' | 'command'

const loginNames = { browser: 'stagely-login', command: 'stagely-command-login' } as const

/**
 * Binds a login at the provider to the browser that began it. Lax: with Strict the provider's redirect
 * would come without it.
 */
export const loginCookie = (base: Base, of: LoginOf, state: string): string =>
  `${render(base, loginNames[of], state, 'HttpOnly; SameSite=Lax')}; Max-Age=${loginMs / 1000}`

export const endedLoginCookie = (base: Base, of: LoginOf): string =>
  `${render(base, loginNames[of], '', 'HttpOnly; SameSite=Lax')}; Max-Age=0`

/**
 * Why a login was refused, encoded as a query is. The page shows it, and takes it away. An address could say what
 * anybody likes.
 */
export const refusedLoginCookie = (base: Base, why: string): string =>
  render(
    base,
    'stagely-refused',
    new URLSearchParams({ why }).toString().slice('why='.length),
    'SameSite=Lax; Max-Age=60',
  )

type Headers = Pick<globalThis.Headers, 'get'>

const cookieOf = (headers: Headers, name: string): string | undefined =>
  (headers.get('cookie') ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1)

/** True where this browser has begun the login of this state. */
export const hasBegun = (base: Base, of: LoginOf, headers: Headers, state: string): boolean =>
  sameText(cookieOf(headers, nameOf(base, loginNames[of])) ?? '', state)

/** undefined: no cookie of a session, or an `Authorization` header, which goes before it. */
export const sessionSecretIn = (base: Base, headers: Headers): string | undefined => {
  if (headers.get('authorization') !== null) return undefined
  const value = cookieOf(headers, nameOf(base, 'stagely'))
  return value?.startsWith(tokenPrefixes.session) === true ? value : undefined
}

/** Tells a page of ours from others that the browser sends the cookie for: only ours can read it. */
export const csrfOf = (secret: string): string =>
  createHmac('sha256', secret).update('stagely csrf').digest('base64url')

const refuse = (message: string): StagelyError =>
  new StagelyError('Forbidden', message, { denied: { why: 'CrossSite' } })

/** Behind a proxy the host of the request may be another than browsers name. */
const isOurs = (base: Base, origin: string, headers: Headers): boolean => {
  const { origin: own, protocol } = new URL(base())
  return origin === own || origin === `${protocol}//${headers.get('host') ?? ''}`
}

/**
 * Forbidden for a request that a browser sends for another page than ours. `same-site` is one too:
 * another program on another port of the same host. `isBrowser: false`: programs send neither header.
 */
export const requireOwnPage = (
  base: Base,
  headers: Headers,
  { isBrowser }: { readonly isBrowser: boolean },
): void => {
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  if (site === 'same-origin') return
  if (site !== null)
    throw refuse(`a page of another site asks (${site.slice(0, 20)}): only pages of this one may`)
  if (origin === null ? !isBrowser : isOurs(base, origin, headers)) return
  throw refuse(
    'the browser does not say that a page of this site asks: with a token, send it as Authorization',
  )
}

const csrfHeader = 'stagely-csrf'

/** Forbidden without the header that only pages of ours can send. */
export const requireCsrf = (secret: string, method: string, headers: Headers): void => {
  if (method === 'GET' || method === 'HEAD') return
  if (sameText(headers.get(csrfHeader) ?? '', csrfOf(secret))) return
  throw refuse('the header Stagely-CSRF is missing or wrong: GET /api/v1/session tells it')
}
