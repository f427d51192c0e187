// Who is logged in. The browser holds the session in a cookie that no script can read; the page holds the token
// against forged requests, in memory.
import { computed, signal, type ReadonlySignal } from '@preact/signals'
import { narrowingText, type Narrowing } from '../../src/access/place.ts'
import { allows, narrowingOf, teamsWhere, type Principal } from '../../src/access/principal.ts'
import { rolesWith, type Resource, type Verb } from '../../src/access/roles.ts'
import { defined } from '../../src/kernel/defined.ts'
import { forgetAll } from '../staging/staging.ts'
import { api, ApiProblem, must, onSessionEnded, setCsrf, Unreachable } from '../api/client.ts'
import type { Me, Problem } from '../../src/generated/rest-types.ts'

/** `ended`: the login ran out or was taken away while the page was open; what is staged stays. */
type SessionPhase = 'unknown' | 'in' | 'out' | 'ended' | 'unreachable'

interface Session {
  readonly csrf: string
  readonly expires_at?: string
  readonly confirmed_until?: string
}

export interface Methods {
  readonly token: boolean
  readonly oidc: { readonly issuer: string; readonly name: string } | null
}

const phaseNow = signal<SessionPhase>('unknown')
const meNow = signal<Me | undefined>(undefined)
const sessionNow = signal<Session | undefined>(undefined)

export const phase: ReadonlySignal<SessionPhase> = phaseNow
export const me: ReadonlySignal<Me | undefined> = meNow
export const session: ReadonlySignal<Session | undefined> = sessionNow

onSessionEnded(() => {
  if (phaseNow.peek() === 'in') phaseNow.value = 'ended'
})
export const endSession = (): void => {
  if (phaseNow.peek() === 'in') phaseNow.value = 'ended'
}

/** The routes of a login, which are not in the table of REST routes. */
const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(method !== 'GET' && { 'stagely-csrf': sessionNow.peek()?.csrf ?? '' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    cache: 'no-store',
  }).catch(() => {
    throw new Unreachable()
  })
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T
  throw new ApiProblem((await response.json()) as Problem, response.headers.get('retry-after'))
}

/** The page is loaded anew: nothing that one person saw or staged is there for the next. */
const startAnew = (path: string): void => {
  forgetAll()
  location.replace(path)
}

const begin = async (answered: Session, asked = must(api.GET('/me'))): Promise<void> => {
  setCsrf(answered.csrf)
  const before = meNow.peek()
  const next = await asked
  if (before !== undefined && before.id !== next.id) {
    startAnew(location.href)
    return
  }
  sessionNow.value = answered
  meNow.value = next
  phaseNow.value = 'in'
}

/** Continues a session that the browser still has. */
export const resume = async (): Promise<void> => {
  try {
    // Both at once; where the session is over both say so.
    const asked = must(api.GET('/me'))
    asked.catch(() => undefined)
    await begin(await call<Session>('GET', '/session'), asked)
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.status === 401) phaseNow.value = 'out'
    else phaseNow.value = 'unreachable'
  }
}

/** Reads again in which teams the person is. */
export const readTeams = async (): Promise<void> => {
  const found = await must(api.GET('/me')).catch(() => undefined)
  if (found !== undefined && found.id === meNow.peek()?.id) meNow.value = found
}

/** Whoever is in no team sees nothing of any. */
export const isInNoTeam = computed(
  () => meNow.value?.admin === false && meNow.value.teams.length === 0,
)

export const methods = (): Promise<Methods> => call('GET', '/auth/methods')

/** The name of the person whom the code of a link logs in. Throws where the code is no longer valid. */
export const ownerOfCode = async (code: string): Promise<string> =>
  (await call<{ user: string }>('POST', '/session/codes/look', { code })).user

/** Logs in. Throws when the token is refused. */
export const logIn = async (proof: { token: string } | { code: string }): Promise<void> => {
  await begin(await call<Session>('POST', '/session', proof))
}

export const confirmLogin = async (token: string): Promise<void> => {
  const { confirmed_until } = await call<{ confirmed_until: string }>('POST', '/session/confirm', {
    token,
  })
  const before = sessionNow.peek()
  if (before !== undefined) sessionNow.value = { ...before, confirmed_until }
}

/** Until when the session is confirmed, as the controller knows it; in the past: it is not. */
export const readConfirmedUntil = async (): Promise<number> => {
  const answered = await call<Session>('GET', '/session')
  sessionNow.value = answered
  return Date.parse(answered.confirmed_until ?? '1970-01-01')
}

/** Ends the session. The caller tells all tabs. */
export const logOut = async (): Promise<void> => {
  await call('DELETE', '/session').catch(() => undefined)
}

export const loggedOut = (): void => startAnew('/ui/login')

const isNarrowed = ({ projects, environments, stagelets }: Narrowing): boolean =>
  (projects ?? environments ?? stagelets) !== undefined

/** The caller as the table of rights takes them. */
const principalOf = ({ id, name, kind, admin, teams, token }: Me): Principal => {
  const { id: tokenId, read_only: readOnly, teams: namespaces, role, ...narrowing } = token
  const isLimited = readOnly || (namespaces ?? role) !== undefined || isNarrowed(narrowing)
  const limits = {
    readOnly,
    ofAdmin: admin,
    ...defined({ namespaces, role }),
    ...(isNarrowed(narrowing) && { narrowing }),
  }
  return {
    id,
    name,
    kind,
    tokenId,
    admin: admin && !isLimited,
    roles: new Map(teams.map((member) => [member.team, member.role])),
    ...(!admin && {
      narrowings: new Map(teams.filter(isNarrowed).map((member) => [member.team, member])),
    }),
    ...(isLimited && { limits }),
  }
}

const principal = computed(() => meNow.value && principalOf(meNow.value))

/** What keeps the caller from doing it, in words; undefined: allowed. The server decides; this explains. */
export const whyNot = (verb: Verb, resource: Resource, team: string): string | undefined => {
  const who = meNow.value
  if (who === undefined) return 'You are not logged in.'
  if (who.token.read_only && !['get', 'list', 'watch'].includes(verb))
    return 'You are logged in with a read-only token.'
  const asked = principal.value ?? principalOf(who)
  if (allows(asked, { verb, resource, namespace: team })) return undefined
  const roles = rolesWith(verb, resource)
  const role = asked.roles.get(team)
  const narrowing = narrowingOf(asked)?.(team)
  if (narrowing !== undefined && role !== undefined && roles.includes(role))
    return `Your rights in the team ${team} are narrowed to ${narrowingText(narrowing)}.`
  return `Needs the role ${roles.join(' or ')} in the team ${team}.`
}

/** True when the caller may do it in some team. */
export const maySomewhere = (verb: Verb, resource: Resource): boolean => {
  const who = principal.value
  return who !== undefined && teamsWhere(who, verb, resource)?.length !== 0
}

export const isAdmin = computed(() => meNow.value?.admin === true)
export const needsAdmin = 'Needs an admin of the controller.'
