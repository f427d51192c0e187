// The OpenID provider: sends people there, and learns who came back. Everything of OpenID Connect is
// openid-client's; here is which claims count.
import * as openid from 'openid-client'
import type { TeamRole } from '../../../src/access/team-roles.ts'
import { messageOf, StagelyError } from '../../../src/kernel/errors.ts'
import type { Identity } from '../../../src/store/logins.ts'

export interface GroupRole {
  readonly group: string
  readonly team: string
  readonly role: TeamRole
}

export interface OidcConfig {
  readonly issuer: string
  readonly clientId: string
  /** undefined: a public client. */
  readonly clientSecret: string | undefined
  /** Only e-mail addresses of these domains; none: all that the provider vouches for. */
  readonly domains: readonly string[]
  /** What membership in a group (claim `groups`) gives; none: groups count for nothing. */
  readonly groups: readonly GroupRole[]
}

/** What binds a login to its answer. All three are made from one secret state. */
export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** Highest first: of several groups the highest role counts. */
const ranks: readonly TeamRole[] = ['owner', 'maintainer', 'developer', 'auditor', 'viewer']

const rolesOfGroups = (
  rules: readonly GroupRole[],
  groups: readonly string[],
): ReadonlyMap<string, TeamRole> => {
  const roles = new Map<string, TeamRole>()
  for (const { group, team, role } of rules) {
    if (!groups.includes(group)) continue
    const held = roles.get(team)
    if (held === undefined || ranks.indexOf(role) < ranks.indexOf(held)) roles.set(team, role)
  }
  return roles
}

/** `email`: as the provider tells it, so that the audit log says who it was. */
const refuse = (message: string, email?: string): StagelyError =>
  new StagelyError('Forbidden', message, {
    denied: { why: 'Login', ...(email === undefined ? {} : { actorName: nameIn(email) }) },
  })

/** What anybody may have typed at the provider, fit for a row. */
const nameIn = (email: string): string => email.slice(0, 254).replace(/\p{Cc}/gu, '?')

/** Forbidden, with what to do, where the claims are not enough. */
const identityOf = (
  { issuer, domains, groups }: Pick<OidcConfig, 'issuer' | 'domains' | 'groups'>,
  claims: Readonly<Record<string, unknown>>,
): Identity => {
  const { sub, email, email_verified: verified, name, groups: held } = claims
  if (typeof sub !== 'string') throw refuse('the provider names no subject')
  if (typeof email !== 'string' || email === '')
    throw refuse('the provider names no e-mail address: let the client have the scope "email"')
  if (verified !== true) throw refuse(`the provider has not verified the address ${email}`, email)
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
  if (domains.length > 0 && !domains.includes(domain))
    throw refuse(`people with addresses of ${domain} may not log in here`, email)
  const named = Array.isArray(held) ? held.filter((group) => typeof group === 'string') : []
  return {
    issuer,
    subject: sub,
    email,
    displayName: typeof name === 'string' && name !== '' ? name.slice(0, 200) : undefined,
    roles: groups.length === 0 ? undefined : rolesOfGroups(groups, named),
  }
}

export class OidcProvider {
  readonly #config: OidcConfig
  #client: Promise<openid.Configuration> | undefined

  constructor(config: OidcConfig) {
    this.#config = config
  }

  /** Where the browser goes. ServiceUnavailable while the provider does not answer. */
  async authorizationUrl(redirectUri: string, checks: Checks): Promise<URL> {
    const client = await this.#discovered()
    return openid.buildAuthorizationUrl(client, {
      redirect_uri: redirectUri,
      scope:
        this.#config.groups.length === 0 ? 'openid email profile' : 'openid email profile groups',
      code_challenge: await openid.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
      state: checks.state,
      nonce: checks.nonce,
    })
  }

  /** Who came back with this URL. Forbidden when the provider does not vouch for it. */
  async identity(callback: URL, checks: Checks): Promise<Identity> {
    const client = await this.#discovered()
    let claims: openid.IDToken | undefined
    try {
      const tokens = await openid.authorizationCodeGrant(client, callback, {
        pkceCodeVerifier: checks.verifier,
        expectedState: checks.state,
        expectedNonce: checks.nonce,
        idTokenExpected: true,
      })
      claims = tokens.claims()
      // Some providers tell e-mail and groups only when asked with the access token.
      if (claims !== undefined && claims['email'] === undefined)
        claims = {
          ...(await openid.fetchUserInfo(client, tokens.access_token, claims.sub)),
          ...claims,
        }
    } catch (error) {
      throw refuse(`the login was not accepted: ${codeOf(error)}`)
    }
    return identityOf(this.#config, claims ?? {})
  }

  /** Tried again at the next login where it failed. */
  async #discovered(): Promise<openid.Configuration> {
    this.#client ??= discover(this.#config)
    try {
      return await this.#client
    } catch (error) {
      this.#client = undefined
      throw new StagelyError(
        'ServiceUnavailable',
        `the OpenID provider ${this.#config.issuer} does not answer: ${messageOf(error)}`,
      )
    }
  }
}

const discover = ({
  issuer,
  clientId,
  clientSecret,
}: OidcConfig): Promise<openid.Configuration> => {
  const auth = clientSecret === undefined ? openid.None() : openid.ClientSecretBasic(clientSecret)
  const plain = issuer.startsWith('http:')
  return openid.discovery(new URL(issuer), clientId, undefined, auth, {
    timeout: 10,
    // Configured for a loopback address only.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that it stands out
    ...(plain ? { execute: [openid.allowInsecureRequests] } : {}),
  })
}

/** The word of the protocol for what went wrong; never the URL, which holds the code. */
const codeOf = (error: unknown): string => {
  const { error: word, code } = error as { error?: unknown; code?: unknown }
  for (const text of [word, code])
    if (typeof text === 'string' && /^[\w-]{1,60}$/.test(text)) return text
  return 'the answer is not valid'
}
