// Tokens: one's own, those of a team's machines, and for admins those of any user.
import { z } from 'zod'
import { mayGrant, type Principal } from '../../../../src/access/principal.ts'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import type { Token, TokenOwner, TokenSpec } from '../../../../src/store/tokens.ts'
import type { RestDeps } from '../deps.ts'
import { nextCursor, pagedBy, pageQuery } from '../paging.ts'
import { deleted, deletedSchema } from '../representations.ts'
import { route, requireTarget, type Access, type RestContext, type RestRoute } from '../route.ts'
import { role, tokenSchema, toToken } from './shapes.ts'

const tag = 'Tokens'

const common = {
  name: z.string().max(63).describe('Unique among the owner’s tokens.'),
  expires_at: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('When it ends; absent: when it is revoked.'),
  read_only: z.boolean().default(false).describe('It may read what its owner may, no more.'),
}

const personalBody = z.strictObject({
  ...common,
  teams: z.array(z.string().min(1)).min(1).max(100).optional().describe('Only in these teams.'),
  role: role.optional().describe('No more than this role may, in any team.'),
})

const machineBody = z.strictObject({ ...common, role })

const created = {
  status: 201,
  description: 'The token, shown this one time.',
  schema: tokenSchema.extend({ token: z.string().describe('Keep it: only its hash is stored.') }),
} as const

const listed = {
  status: 200,
  description: 'In order of their names.',
  schema: z.strictObject({ tokens: z.array(tokenSchema), next_cursor: nextCursor }),
} as const

const revoked = { status: 200, description: 'It opens nothing any more.', schema: deletedSchema }

const specOf = ({
  name,
  expires_at,
  read_only,
  ...rest
}: z.infer<typeof personalBody> | z.infer<typeof machineBody>): TokenSpec => ({
  name,
  readOnly: read_only,
  expiresAt: expires_at === undefined ? undefined : Date.parse(expires_at),
  role: rest.role,
  namespaces: 'teams' in rest ? rest.teams : undefined,
})

/** Whose tokens a group of routes is about, and who may use it. */
interface Place {
  /** Ending of the routes' ids. */
  readonly suffix: string
  readonly path: string
  readonly of: string
  readonly access: (verb: 'list' | 'create' | 'delete') => Access
  readonly ownerOf: (context: RestContext<unknown, unknown>) => TokenOwner
  /** Forbidden for what not even those who may use the route may do. */
  readonly checkWrite?: (principal: Principal, owner: TokenOwner, spec?: TokenSpec) => void
}

const forbidden = (message: string): StagelyError => new StagelyError('Forbidden', message)

/** A token with scopes that could make or revoke others would have none. */
const refuseLimited = ({ limits }: Principal): void => {
  if (limits !== undefined)
    throw forbidden('a token with scopes manages no tokens: log in with one that has none')
}

const own: Place = {
  suffix: '',
  path: '/tokens',
  of: 'yours',
  access: () => ({ in: 'self' }),
  ownerOf: ({ principal }) => {
    if (principal.kind === 'user') return { user: principal.id }
    throw forbidden(`${principal.name} is a machine, which has no personal tokens`)
  },
  checkWrite: refuseLimited,
}

const ofUser: Place = {
  suffix: 'OfUser',
  path: '/users/:user/tokens',
  of: 'a user’s',
  access: (verb) => ({ in: 'admin', verb }),
  ownerOf: ({ params }) => ({ user: params['user'] ?? '' }),
}

const ofTeam: Place = {
  suffix: 'OfTeam',
  path: '/teams/:team/tokens',
  of: 'those of the team’s machines',
  access: (verb) => ({ in: 'team', verb, resource: 'tokens' }),
  ownerOf: (context) => ({ team: requireTarget(context).metadata.name }),
  checkWrite: (principal, owner, spec) => {
    refuseLimited(principal)
    if (!('team' in owner) || spec?.role === undefined) return
    if (!mayGrant(principal, owner.team, spec.role))
      throw forbidden(
        `${principal.name} may not give the role ${spec.role}: it is more than theirs`,
      )
  },
}

export const tokenRoutes = (deps: RestDeps): RestRoute[] =>
  [
    { place: own, body: personalBody },
    { place: ofUser, body: personalBody },
    { place: ofTeam, body: machineBody },
  ].flatMap(({ place, body }) => [
    listTokens(deps, place),
    createToken(deps, place, body),
    revokeToken(deps, place),
  ])

const listTokens = (
  { people }: RestDeps,
  { suffix, path, of, access, ownerOf }: Place,
): RestRoute =>
  route({
    id: `listTokens${suffix}`,
    method: 'GET',
    path,
    tag,
    summary: `Tokens, ${of}.`,
    access: access('list'),
    query: z.strictObject(pageQuery),
    response: listed,
    handle: async (context) => {
      const tokens = await people.tokens.list(ownerOf(context))
      const order = { of: 'tokens', placeOf: ({ name }: Token) => [name] }
      const { items, next } = pagedBy(tokens, order, context.query)
      return { status: 200, body: { tokens: items.map(toToken), ...next } }
    },
  })

const createToken = (
  { people }: RestDeps,
  { suffix, path, of, access, ownerOf, checkWrite }: Place,
  body: typeof personalBody | typeof machineBody,
): RestRoute =>
  route({
    id: `createToken${suffix}`,
    method: 'POST',
    path,
    tag,
    summary: `Make a token among ${of}.`,
    access: access('create'),
    body: body as z.ZodType<z.infer<typeof personalBody> | z.infer<typeof machineBody>>,
    response: created,
    shownOnce: ['token'],
    handle: async (context) => {
      const owner = ownerOf(context)
      const spec = specOf(context.body)
      checkWrite?.(context.principal, owner, spec)
      const { secret, token } = await people.tokens.create(context.actor, owner, spec)
      return { status: 201, body: { token: secret, ...toToken(token) } }
    },
  })

const revokeToken = (
  { people }: RestDeps,
  { suffix, path, of, access, ownerOf, checkWrite }: Place,
): RestRoute =>
  route({
    id: `revokeToken${suffix}`,
    method: 'DELETE',
    path: `${path}/:token_id`,
    tag,
    summary: `Revoke a token, by id or name, among ${of}.`,
    access: access('delete'),
    response: revoked as { status: 200; description: string; schema: typeof deletedSchema },
    handle: async (context) => {
      const owner = ownerOf(context)
      checkWrite?.(context.principal, owner)
      await people.tokens.revoke(context.actor, owner, context.params['token_id'] ?? '')
      return deleted
    },
  })
