// Flags and environment of the OpenID login. A flag has precedence over its variable.
import { readFileSync } from 'node:fs'
import { narrowingKeys, type Narrowing } from '../src/access/place.ts'
import { defined } from '../src/kernel/defined.ts'
import { teamRoles, type TeamRole } from '../src/access/team-roles.ts'
import type { GroupRole, OidcConfig } from './http/login/provider.ts'

export interface OidcFlags {
  readonly oidcIssuer?: string
  readonly oidcClientId?: string
  readonly oidcClientSecretFile?: string
  readonly oidcDomain?: string[]
  readonly oidcGroup?: string[]
  readonly oidcProof?: string
}

type Env = Readonly<Record<string, string | undefined>>

const listOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const setOrUndefined = (text: string | undefined): string | undefined =>
  text === '' ? undefined : text

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost'])

const isIssuer = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname))
}

const isRole = (text: string): text is TeamRole => (teamRoles as readonly string[]).includes(text)

/** `:project=shop:project=bank:environment=preview`; undefined where there is nothing. */
const parsePlaces = (text: string): Narrowing | undefined => {
  if (text === '') return undefined
  const pairs = text.split(':').slice(1)
  const namesFor = (key: string): string[] =>
    pairs.filter((pair) => pair.startsWith(`${key}=`)).map((pair) => pair.slice(key.length + 1))
  const lists = narrowingKeys.map((key) => [key, namesFor(key.slice(0, -1))] as const)
  return Object.fromEntries(lists.filter(([, names]) => names.length > 0))
}

/** Parses `group=team:role`, and the places behind the role; the group may hold "=" and ":". */
const parseGroup = (text: string, faults: string[]): GroupRole[] => {
  const match =
    /^(.+)=([a-z0-9.-]+):([a-z]+)((?::(?:project|environment|stagelet)=[a-z0-9.-]+|:folder=\/[^:]*)*)$/.exec(
      text,
    )
  const [, group = '', team = '', role = '', places = ''] = match ?? []
  if (match !== null && isRole(role))
    return [{ group, team, role, ...defined({ narrowing: parsePlaces(places) }) }]
  faults.push(
    `--oidc-group must be GROUP=TEAM:ROLE with a role of ${teamRoles.join(', ')}, and places behind it such as :project=shop:environment=preview; it is ${text}`,
  )
  return []
}

const readSecret = (file: string, faults: string[]): string | undefined => {
  try {
    const secret = readFileSync(file, 'utf8').trim()
    if (secret !== '') return secret
    faults.push(`the OpenID client secret file ${file} is empty`)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'failed'
    faults.push(`the OpenID client secret file ${file} cannot be read (${code})`)
  }
  return undefined
}

/** What of the provider confirms a login: its `auth_time` alone, or an answer without one too. */
const proofs: readonly string[] = ['auth-time', 'round-trip']

/** undefined: no OpenID login. Appends faults to `faults`. */
export const parseOidc = (flags: OidcFlags, env: Env, faults: string[]): OidcConfig | undefined => {
  const issuer = flags.oidcIssuer ?? setOrUndefined(env['STAGELY_OIDC_ISSUER'])
  const clientId = flags.oidcClientId ?? setOrUndefined(env['STAGELY_OIDC_CLIENT_ID'])
  const file = flags.oidcClientSecretFile ?? setOrUndefined(env['STAGELY_OIDC_CLIENT_SECRET_FILE'])
  const domains = flags.oidcDomain ?? listOf(env['STAGELY_OIDC_DOMAINS'])
  const groups = flags.oidcGroup ?? listOf(env['STAGELY_OIDC_GROUPS'])
  const proof = flags.oidcProof ?? setOrUndefined(env['STAGELY_OIDC_PROOF'])
  if (issuer === undefined) {
    if (
      clientId !== undefined ||
      file !== undefined ||
      domains.length + groups.length > 0 ||
      proof !== undefined
    )
      faults.push('--oidc-issuer (STAGELY_OIDC_ISSUER) is missing: name the OpenID provider')
    return undefined
  }
  if (!isIssuer(issuer))
    faults.push('--oidc-issuer must be an https:// URL, such as https://accounts.google.com')
  if (clientId === undefined) faults.push('--oidc-client-id (STAGELY_OIDC_CLIENT_ID) is missing')
  if (proof !== undefined && !proofs.includes(proof))
    faults.push(
      `--oidc-proof (STAGELY_OIDC_PROOF) must be one of ${proofs.join(', ')}; it is ${proof}`,
    )
  return {
    issuer,
    clientId: clientId ?? '',
    clientSecret: file === undefined ? undefined : readSecret(file, faults),
    domains: domains.map((domain) => domain.toLowerCase().replace(/^@/, '')),
    groups: groups.flatMap((group) => parseGroup(group, faults)),
    countsRoundTrip: proof === 'round-trip',
  }
}
