// Login of browsers. The page never sees what it is logged in by: that is in a cookie.
import * as z from 'zod'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import type { OpenedSession } from '../../../../src/store/people/sessions.ts'
import {
  csrfOf,
  endedSessionCookie,
  requireOwnPage,
  sessionCookie,
  sessionSecretIn,
} from '../../session-cookie.ts'
import { listRoute } from '../lists.ts'
import { deleted, deletedSchema, timeSchema } from '../representations.ts'
import { route, routesOf, type RestAnswer, type RestContext } from '../route.ts'
import { answer } from '../shapes.ts'
import { browserOf, personOfSession, requirePerson } from './person.ts'

const token = z.string().min(1).max(200).describe('A token of a person.')
const code = z
  .string()
  .regex(/^[\w-]{43}$/, 'must be the code of a link that was opened')
  .describe('The code of a link that `stagely open` made.')

const sessionSchema = z
  .strictObject({
    user: z.string().describe('Login name.'),
    csrf: z
      .string()
      .describe('For the header Stagely-CSRF, which whatever changes something needs.'),
    expires_at: timeSchema.describe('The latest end. Without requests it ends after an hour.'),
    confirmed_until: timeSchema
      .optional()
      .describe('Until then the person need not prove again who they are.'),
  })
  .describe('The session of a browser.')

const confirmedUntil = z.strictObject({ confirmed_until: timeSchema })

interface Shown {
  readonly user: string
  readonly expiresAt: number
  readonly confirmedUntil: number | undefined
}

const shownSession = (secret: string, session: Shown): z.infer<typeof sessionSchema> =>
  answer(sessionSchema, { ...session, csrf: csrfOf(secret) })

const opened = ({ deps }: RestContext, { secret, session }: OpenedSession): RestAnswer => ({
  body: shownSession(secret, session),
  headers: { 'set-cookie': sessionCookie(deps.sessions.base, secret) },
})

/** One attempt to log in, by a page of ours or by a program. */
const attempt = <T>(context: RestContext, login: () => Promise<T>): Promise<T> => {
  const { deps, actor, request } = context
  const { base, loginLimit } = deps.sessions
  requireOwnPage(base, request.headers, { isBrowser: false })
  return loginLimit.attempt(actor.address ?? '', login)
}

const openByToken = async (context: RestContext, given: string): Promise<OpenedSession> => {
  const { deps, actor } = context
  const person = await personOfSession(context, given)
  const { id, name } = person
  return deps.people.sessions.openByToken({ ...actor, id, name }, person, browserOf(context))
}

const logins = [
  route({
    id: 'openSession',
    at: 'POST /session',
    summary: 'Log a browser in, by a token or by the code of a link. The session is a cookie.',
    access: { in: 'public' },
    body: z
      .strictObject({ token: token.optional(), code: code.optional() })
      .refine((body) => (body.token === undefined) !== (body.code === undefined), {
        message: 'give either token or code',
      }),
    response: { status: 201, description: 'The session.', schema: sessionSchema },
    handle: (context) =>
      attempt(context, async () => {
        const { body, deps, actor } = context
        if (body.token !== undefined) return opened(context, await openByToken(context, body.token))
        const { sessions } = deps.people
        return opened(
          context,
          await sessions.openByCode(actor, body.code ?? '', browserOf(context)),
        )
      }),
  }),
  route({
    id: 'createSessionCode',
    at: 'POST /session/codes',
    summary: 'A link that logs a browser in as you: good once, for a minute.',
    access: { in: 'self' },
    session: 'refused',
    response: {
      status: 201,
      description: 'The link. What is behind # is sent to no server.',
      schema: z.strictObject({
        url: z.string().optional().describe('Absent in the answer to a repeated request.'),
        expires_at: timeSchema,
      }),
    },
    shownOnce: ['url'],
    handle: async ({ deps, actor, principal }) => {
      const { base, meta } = deps.sessions
      if (!meta.features.includes('dashboard'))
        throw new StagelyError('NotFound', 'this controller serves no dashboard (--no-dashboard)')
      const made = await deps.people.sessions.createCode(actor, requirePerson(principal))
      const url = `${base()}/ui/login#code=${made.code}`
      return { body: { url, expires_at: toTimestamp(made.expiresAt) } }
    },
  }),
  route({
    id: 'lookAtSessionCode',
    at: 'POST /session/codes/look',
    summary: 'Whom the code of a link would log in. It stays good.',
    access: { in: 'public' },
    body: z.strictObject({ code }),
    response: {
      description: 'Ask before you go on: anybody may have made the link.',
      schema: z.strictObject({ user: z.string(), expires_at: timeSchema }),
    },
    handle: (context) =>
      attempt(context, async () => {
        const { sessions } = context.deps.people
        const { name, expiresAt } = await sessions.ownerOfCode(context.body.code)
        return { body: { user: name, expires_at: toTimestamp(expiresAt) } }
      }),
  }),
]

const own = [
  route({
    id: 'getSession',
    at: 'GET /session',
    summary: 'Your session, with what changes need.',
    access: { in: 'session' },
    response: { description: 'The session.', schema: sessionSchema },
    handle: ({ deps, principal, request }) => {
      const { name: user, session, expiresAt = 0 } = principal
      const secret = sessionSecretIn(deps.sessions.base, request.headers) ?? ''
      const shown = { user, expiresAt, confirmedUntil: session?.confirmedUntil }
      return Promise.resolve({ body: shownSession(secret, shown) })
    },
  }),
  route({
    id: 'confirmSession',
    at: 'POST /session/confirm',
    summary: 'Prove again who you are, by a token of yours: for reveals, tokens, members and keys.',
    access: { in: 'session' },
    body: z.strictObject({
      token: token.describe(
        'A token of yours without scopes, of a login at which the provider asked you, or made by such a one.',
      ),
    }),
    response: { description: 'Until when this counts.', schema: confirmedUntil },
    handle: (context) =>
      attempt(context, async () => {
        const { body, deps, actor, principal } = context
        const { id, name, tokenId } = await personOfSession(context, body.token)
        if (id !== principal.id)
          throw new StagelyError('Forbidden', 'this token is of somebody else', {
            denied: { why: 'Login', actorId: principal.id, actorName: principal.name },
          })
        const { sessions } = deps.people
        const until = await sessions.confirm(actor, { id, name, tokenId }, principal.tokenId)
        return { body: { confirmed_until: toTimestamp(until) } }
      }),
  }),
  route({
    id: 'endSession',
    at: 'DELETE /session',
    summary: 'Log out. Open streams end.',
    access: { in: 'session' },
    response: { status: 204, description: 'The session has ended.' },
    handle: async ({ deps, actor, principal }) => {
      await deps.people.sessions.end(actor, principal, principal.tokenId)
      return {
        headers: {
          'set-cookie': endedSessionCookie(deps.sessions.base),
          'clear-site-data': '"cache", "storage"',
        },
      }
    },
  }),
]

const listed = z.strictObject({
  id: z.string(),
  created_at: timeSchema,
  last_seen_at: timeSchema.describe('To the minute.'),
  expires_at: timeSchema,
  address: z.string().optional(),
  browser: z.string().optional().describe('As it calls itself.'),
  current: z.boolean().describe('The one that asks.'),
})

const all = [
  listRoute({
    id: 'listMySessions',
    at: 'GET /me/sessions',
    summary: 'Your open sessions.',
    access: { in: 'self' },
    description: 'The newest first.',
    list: 'sessions',
    item: listed,
    read: async ({ deps, principal }) => {
      const sessions = await deps.people.sessions.list(requirePerson(principal).id)
      return sessions.map((session) => ({ ...session, current: session.id === principal.tokenId }))
    },
    order: { of: 'sessions', placeOf: ({ createdAt, id }) => [createdAt, id], descending: true },
  }),
  route({
    id: 'endMySession',
    at: 'DELETE /me/sessions/:session_id',
    summary: 'End a session of yours, in whatever browser it is.',
    access: { in: 'self' },
    response: { description: 'It opens nothing any more.', schema: deletedSchema },
    handle: async ({ deps, actor, principal, params }) => {
      const { session_id: id = '' } = params
      // A token with limits ends no login that has none.
      if (principal.limits !== undefined && id !== principal.tokenId)
        throw new StagelyError('Forbidden', 'a token with scopes ends no other sessions')
      await deps.people.sessions.end(actor, requirePerson(principal), id)
      return deleted
    },
  }),
]

export const sessionRoutes = routesOf('Sessions', [...logins, ...own, ...all])
