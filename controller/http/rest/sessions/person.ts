// Who logs in: the person of a token, and the browser that the request came from.
import { tokenPrefixes } from '../../../../src/store/people/tokens.ts'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import type { Principal } from '../../../../src/access/principal.ts'
import type { Browser } from '../../../../src/store/people/sessions.ts'
import { refusalOfLogin } from '../../auth.ts'
import { browserNameOf } from '../../browser-name.ts'
import { requireOwnPage, sessionSecretIn } from '../../session-cookie.ts'
import type { RestContext } from '../route.ts'

type Asked = Pick<RestContext, 'deps' | 'request' | 'actor'>

export const browserOf = ({ actor, request }: Asked): Browser => ({
  address: actor.address ?? '',
  name: browserNameOf(request.headers.get('user-agent')),
})

/** Forbidden for a machine, which has no use for pages. */
export const requirePerson = (principal: Principal): Principal => {
  if (principal.kind === 'user') return principal
  throw new StagelyError('Forbidden', `${principal.name} is a machine: log in as a person`, {
    denied: { why: 'Login', actorId: principal.id, actorName: principal.name },
  })
}

/** The person of a token. Unauthorized for one that opens nothing, a session's included. */
export const personOfSession = async ({ deps }: Asked, token: string): Promise<Principal> => {
  const { tokens } = deps.sessions
  const isSession = token.startsWith(tokenPrefixes.session)
  const principal = isSession ? undefined : await tokens.verify(token)
  if (principal !== undefined) return requirePerson(principal)
  const denied = isSession ? undefined : await tokens.refusalOf(token)
  throw refusalOfLogin(denied ?? { why: 'Login' }, 'token')
}

/** The session that the request's cookie belongs to; Unauthorized without one. */
export const sessionOf = async ({ deps, request }: Asked): Promise<Principal> => {
  const { base, tokens } = deps.sessions
  const secret = sessionSecretIn(base, request.headers)
  if (secret !== undefined) requireOwnPage(base, request.headers, { isBrowser: true })
  const principal = secret === undefined ? undefined : await tokens.verify(secret)
  if (principal?.session !== undefined) return principal
  throw new StagelyError('Unauthorized', 'the session has ended: log in again')
}
