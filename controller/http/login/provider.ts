// The OpenID provider: where people log in, and who logged in. openid-client implements OpenID Connect;
// this file decides which claims count.
import * as openid from 'openid-client'
import { join } from '../../../src/access/place.ts'
import type { TeamGrant, TeamRole } from '../../../src/access/team-roles.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { messageOf, StagelyError } from '../../../src/kernel/errors.ts'
import type { Identity } from '../../../src/store/people/identities.ts'

export interface GroupRole extends TeamGrant {
  readonly group: string
  readonly team: string
}

export interface OidcConfig {
  readonly issuer: string
  readonly clientId: string
  /** undefined: a public client. */
  readonly clientSecret: string | undefined
  /** Accepted domains of e-mail addresses; empty: all. */
  readonly domains: readonly string[]
  /** Roles for members of groups (claim `groups`); empty: groups are ignored. */
  readonly groups: readonly GroupRole[]
  /** Of a provider without `auth_time`, an answer to a login that was to ask the person counts as a proof. */
  readonly countsRoundTrip: boolean
}

/** Values that bind an answer of the provider to its login. All three are derived from one secret state. */
export interface LoginChecks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** Highest first. */
const ranks: readonly TeamRole[] = [
  'owner',
  'maintainer',
  'developer',
  'operator',
  'deployer',
  'auditor',
  'viewer',
]

/** Of several groups of a team the highest role counts, and of those of one role all places. */
export const rolesOfGroups = (
  rules: readonly GroupRole[],
  groups: readonly string[],
): ReadonlyMap<string, TeamGrant> => {
  const grants = new Map<string, TeamGrant>()
  for (const { group, team, role, narrowing } of rules) {
    if (!groups.includes(group)) continue
    const held = grants.get(team)
    if (held?.role === role)
      grants.set(team, { role, ...defined({ narrowing: join(held.narrowing, narrowing) }) })
    else if (held === undefined || ranks.indexOf(role) < ranks.indexOf(held.role))
      grants.set(team, { role, ...defined({ narrowing }) })
  }
  return grants
}

/** `email`: from the provider, so that the audit log names the person. */
const refuse = (message: string, email?: string): StagelyError =>
  new StagelyError('Forbidden', message, {
    denied: { why: 'Login', ...(email !== undefined && { actorName: nameIn(email) }) },
  })

/** The e-mail address as text for an audit row: anybody may have typed it. */
const nameIn = (email: string): string => email.slice(0, 254).replace(/\p{Cc}/gu, '?')

/** The ID token's claims, with those that only the userinfo endpoint has. An address is verified by whoever names it. */
export const withUserInfo = <Claims extends Record<string, unknown>>(
  claims: Claims,
  userInfo: Readonly<Record<string, unknown>>,
): Claims => ({
  ...userInfo,
  ...claims,
  email: userInfo['email'],
  email_verified: userInfo['email_verified'],
})

/** Whether the person was to be asked who they are. */
export interface Asking {
  readonly isFresh?: boolean
}

/** When the person has proved who they are (ms). An ID token is made after its login was begun: the nonce binds it. */
export const provedAt = (
  { auth_time: at, iat }: Readonly<Record<string, unknown>>,
  { countsRoundTrip, isFresh = false }: Pick<OidcConfig, 'countsRoundTrip'> & Asking,
): number | undefined => {
  const seconds = at ?? (countsRoundTrip && isFresh ? iat : undefined)
  return typeof seconds === 'number' ? seconds * 1_000 : undefined
}

/**
 * How the provider is told to ask. Google refuses `login`, and has no list of what it takes. `max_age` makes a provider
 * tell `auth_time`; some ask again and again where it is 0.
 */
export const askAgain = (
  issuer: string,
  supported: unknown,
): { prompt: string; max_age: '600' } | { max_age: '0' } => {
  const usual = issuer === 'https://accounts.google.com' ? ['select_account'] : ['login']
  const taken = Array.isArray(supported) ? (supported as unknown[]) : usual
  const prompt = ['login', 'select_account'].find((prompt) => taken.includes(prompt))
  return prompt === undefined ? { max_age: '0' } : { prompt, max_age: '600' }
}

/** Forbidden, with a remedy, when the claims are not enough. */
const identityOf = (
  { issuer, domains, groups, countsRoundTrip }: OidcConfig,
  claims: Readonly<Record<string, unknown>>,
  asking: Asking,
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
    authenticatedAt: provedAt(claims, { countsRoundTrip, ...asking }),
  }
}

/** With a `max_age` the provider tells `auth_time`. Nobody is logged in there for so long: a year. */
const longestLoginSeconds = String(365 * 86_400)

export class OidcProvider {
  readonly #config: OidcConfig
  #client: Promise<openid.Configuration> | undefined

  constructor(config: OidcConfig) {
    this.#config = config
  }

  /** The URL for the browser. ServiceUnavailable while the provider does not answer. */
  async authorizationUrl(
    redirectUri: string,
    checks: LoginChecks,
    { isFresh = false }: Asking = {},
  ): Promise<URL> {
    const client = await this.#discovered()
    const prompts = client.serverMetadata()['prompt_values_supported']
    return openid.buildAuthorizationUrl(client, {
      redirect_uri: redirectUri,
      scope:
        this.#config.groups.length === 0 ? 'openid email profile' : 'openid email profile groups',
      code_challenge: await openid.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
      state: checks.state,
      nonce: checks.nonce,
      // Whoever is logged in at the provider is asked again, or else the provider says since when that is so.
      ...(isFresh ? askAgain(this.#config.issuer, prompts) : { max_age: longestLoginSeconds }),
    })
  }

  /** The identity behind this callback URL. Forbidden when the provider does not confirm it. */
  async identity(callback: URL, checks: LoginChecks, asking: Asking): Promise<Identity> {
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
      // Some providers return e-mail and groups only from the userinfo endpoint.
      if (claims !== undefined && claims['email'] === undefined)
        claims = withUserInfo(
          claims,
          await openid.fetchUserInfo(client, tokens.access_token, claims.sub),
        )
    } catch (error) {
      throw refuse(`the login was not accepted: ${codeOf(error)}`)
    }
    return identityOf(this.#config, claims ?? {}, asking)
  }

  /** The provider's metadata; after a failure it is read again at the next login. */
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
    // Plain HTTP is only configured for a loopback address.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that it stands out
    ...(plain && { execute: [openid.allowInsecureRequests] }),
  })
}

/** The protocol's error code; never the URL, which holds the login's code. */
const codeOf = (error: unknown): string => {
  const { error: word, code } = error as { error?: unknown; code?: unknown }
  for (const text of [word, code])
    if (typeof text === 'string' && /^[\w-]{1,60}$/.test(text)) return text
  return 'the answer is not valid'
}
