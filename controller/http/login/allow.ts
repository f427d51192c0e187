// The page that asks a person whether the command line may log in as them. Between the provider's answer and the
// person's, all is in a signed ticket in the page. Without it, whoever leads a browser here that is logged in at the
// provider would get a token, by a port of loopback.
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { narrowingKeys } from '../../../src/access/place.ts'
import { loginWord } from '../../../src/access/login-word.ts'
import { teamRoles } from '../../../src/access/team-roles.ts'
import type { Identity } from '../../../src/store/people/identities.ts'
import type { AppContext } from '../env.ts'
import type { LoginDeps } from './deps.ts'
import { parseSigned, renderSigned } from './signed.ts'
import { ofCommandLine, type StartedByCommand } from './state.ts'

const grantSchema = z.strictObject({
  role: z.enum(teamRoles),
  narrowing: z.partialRecord(z.enum(narrowingKeys), z.array(z.string())).optional(),
})

const ticketSchema = z.strictObject({
  state: z.string(),
  login: ofCommandLine,
  identity: z.strictObject({
    issuer: z.string(),
    subject: z.string(),
    email: z.string(),
    displayName: z.string().optional(),
    authenticatedAt: z.number().optional(),
    roles: z.array(z.tuple([z.string(), grantSchema])).optional(),
  }),
  expiresAt: z.number(),
})

/** A login that the provider has vouched for, and that its person has yet to allow. */
interface WaitingLogin {
  readonly state: string
  readonly login: StartedByCommand
  readonly identity: Identity
}

const use = 'login to allow'

const renderTicket = (key: Buffer, { state, login, identity }: WaitingLogin): string => {
  const roles = identity.roles === undefined ? undefined : [...identity.roles]
  const { expiresAt } = login
  return renderSigned(key, use, { state, login, identity: { ...identity, roles }, expiresAt })
}

/** undefined for a ticket that was not made here, or has expired. */
export const parseTicket = (key: Buffer, ticket: string, now: number): WaitingLogin | undefined => {
  const found = parseSigned({ key, use, schema: ticketSchema }, ticket, now)
  if (found === undefined) return undefined
  const { state, login, identity } = found
  const { roles, displayName, ...rest } = identity
  return {
    state,
    login,
    identity: { ...rest, displayName, roles: roles === undefined ? undefined : new Map(roles) },
  }
}

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto 0; padding: 0 1rem }
strong { overflow-wrap: anywhere }
button { font: inherit; padding: .4rem 1.2rem; margin-right: .5rem }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark } }
`

/** No form-action: browsers hold it against the loopback address too, to which the answer leads. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** As text in HTML, without what turns its direction or is not seen. */
const html = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}')
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

export const askPerson = (c: AppContext, deps: LoginDeps, waiting: WaitingLogin): Response => {
  const { login, identity } = waiting
  const who = html(identity.email)
  c.header('content-security-policy', policy)
  c.header('x-frame-options', 'DENY')
  c.header('x-content-type-options', 'nosniff')
  // With `no-referrer` some browsers would not say that our own page sends the form.
  c.header('referrer-policy', 'same-origin')
  return c.html(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Allow this command line?</title><style>${style}</style></head>
<body><main>
<h1>Allow this command line to log in as ${who}?</h1>
<p>A program on this computer (<code>${html(new URL(login.redirectUri).host)}</code>) asks ${html(new URL(deps.base()).host)} for a token that may do what <strong>${who}</strong> may, for 12 hours.</p>
<p>Allow it only if you have just run <code>stagely login --web</code> yourself, and it shows <strong>${loginWord(login.challenge)}</strong>.</p>
<form method="post" action="/auth/allow">
<input type="hidden" name="ticket" value="${renderTicket(deps.key, waiting)}">
<button name="answer" value="allow">Allow</button>
<button name="answer" value="refuse">Refuse</button>
</form>
</main></body>
</html>
`)
}
