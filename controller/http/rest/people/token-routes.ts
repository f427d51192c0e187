// Tokens: a person's own, those of a team's machines, and for admins those of any user.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import {
  holdsProtected,
  mayChangeProtected,
  mayGrant,
  type Principal,
} from '../../../../src/access/principal.ts'
import { environmentsOf, protectedIn } from '../../../../src/secrets/project-environments.ts'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import type { TokenOwner, TokenSpec } from '../../../../src/store/people/token-rules.ts'
import type { Token } from '../../../../src/store/people/tokens.ts'
import { listRoute } from '../lists.ts'
import { deleted, deletedSchema } from '../representations.ts'
import {
  requireTarget,
  route,
  routesOf,
  type Access,
  type RestContext,
  type RouteEntry,
} from '../route.ts'
import { answer } from '../shapes.ts'
import { narrowingBody, narrowingFrom, role, shownNarrowed, tokenSchema } from './shapes.ts'

const common = {
  name: z.string().max(63).describe('Unique among the owner’s tokens.'),
  expires_at: z.iso
    .datetime({ offset: true })
    .max(limits.time)
    .optional()
    .describe('When it ends; absent: when it is revoked.'),
  ...narrowingBody,
  read_only: z.boolean().default(false).describe('It may read what its owner may, no more.'),
}

const personalBody = z.strictObject({
  ...common,
  teams: narrowingBody.projects.describe('Only in these teams.'),
  role: role.optional().describe('No more than this role may, in any team.'),
})

const machineBody = z.strictObject({ ...common, role })

const newToken = tokenSchema.extend({
  token: z
    .string()
    .optional()
    .describe('Keep it: only its hash is stored. Absent in the answer to a repeated request.'),
})

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
  narrowing: narrowingFrom(rest),
  namespaces: 'teams' in rest ? rest.teams : undefined,
})

/** The owner of a group of routes' tokens, and who may use the routes. */
interface Place {
  /** Suffix of the routes' ids. */
  readonly suffix: string
  readonly path: `/${string}`
  readonly of: string
  readonly access: (verb: 'list' | 'create' | 'delete') => Access
  readonly ownerOf: (context: RestContext) => TokenOwner
  /** Forbidden for operations that the right to the route alone does not allow. */
  readonly checkWrite?: (principal: Principal, owner: TokenOwner, spec?: TokenSpec) => void
}

const forbidden = (message: string): StagelyError => new StagelyError('Forbidden', message)

/** If a token with limits could make or revoke tokens, its limits would be useless. */
const refuseLimited = ({ limits }: Principal): void => {
  if (limits !== undefined)
    throw forbidden('a token with scopes manages no tokens: log in with one that has none')
}

/** A machine may change what is in a protected environment that its token names. So who makes the token may, too. */
const checkProtected = async (
  { deps, principal }: RestContext,
  owner: TokenOwner,
  { narrowing }: TokenSpec,
): Promise<void> => {
  const { environments = [] } = narrowing ?? {}
  if (!('team' in owner) || environments.length === 0) return
  const { items } = await deps.store.list('Project', { namespace: owner.team })
  const refused = items
    .flatMap((project) => protectedIn(environmentsOf(project)))
    .filter((name) => environments.includes(name))
    .find((name) => !mayChangeProtected(principal, owner.team, name))
  if (refused !== undefined)
    throw forbidden(
      `${principal.name} may not give a right for the protected environment ${refused}: ask an owner`,
    )
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

/** A token in answers. */
const shownToken = (token: Token) => ({ ...shownNarrowed(token), teams: token.namespaces })

const tokenRoutesOf = (
  { suffix, path, of, access, ownerOf, checkWrite }: Place,
  body: typeof personalBody | typeof machineBody,
): RouteEntry[] => [
  listRoute({
    id: `listTokens${suffix}`,
    at: `GET ${path}`,
    summary: `Tokens, ${of}.`,
    access: access('list'),
    description: 'In order of their names.',
    item: tokenSchema,
    read: async (context) => {
      // Other tokens name places that this one does not see.
      if (context.principal.limits?.narrowing !== undefined) refuseLimited(context.principal)
      return (await context.deps.people.tokens.list(ownerOf(context))).map(shownToken)
    },
    order: { of: 'tokens', placeOf: ({ name }) => [name] },
  }),
  route({
    id: `createToken${suffix}`,
    at: `POST ${path}`,
    summary: `Make a token among ${of}.`,
    access: access('create'),
    session: 'confirmed',
    body: body as z.ZodType<z.infer<typeof personalBody> | z.infer<typeof machineBody>>,
    response: { status: 201, description: 'The token, shown this one time.', schema: newToken },
    shownOnce: ['token'],
    handle: async (context) => {
      const { actor, deps, principal } = context
      const owner = ownerOf(context)
      const entersProtected = 'team' in owner && holdsProtected(principal, owner.team)
      const spec = { ...specOf(context.body), entersProtected }
      checkWrite?.(principal, owner, spec)
      await checkProtected(context, owner, spec)
      const by = principal.tokenId
      const { secret, token } = await deps.people.tokens.create(actor, owner, spec, { by })
      return { body: answer(newToken, { ...shownToken(token), token: secret }) }
    },
  }),
  route({
    id: `revokeToken${suffix}`,
    at: `DELETE ${path}/:token_id`,
    summary: `Revoke a token, by id or name, among ${of}.`,
    access: access('delete'),
    session: 'confirmed',
    response: { description: 'It opens nothing any more.', schema: deletedSchema },
    handle: async (context) => {
      const { actor, deps, params, principal } = context
      const owner = ownerOf(context)
      checkWrite?.(principal, owner)
      await deps.people.tokens.revoke(actor, owner, params['token_id'] ?? '')
      return deleted
    },
  }),
]

export const tokenRoutes = routesOf('Tokens', [
  ...tokenRoutesOf(own, personalBody),
  ...tokenRoutesOf(ofUser, personalBody),
  ...tokenRoutesOf(ofTeam, machineBody),
])
