// Users, who belong to the controller and not to a team: for admins. Also the request for one's own
// identity.
import * as z from 'zod'
import { listRoute } from '../lists.ts'
import { deleted, deletedSchema } from '../representations.ts'
import { route, routesOf } from '../route.ts'
import { answer } from '../shapes.ts'
import { narrowingShape, role, shownNarrowed, userSchema } from './shapes.ts'

const email = z.string().max(254).describe('Unique; the OpenID provider is matched by it at first.')
const displayName = z.string().min(1).max(200)
const teams = z.array(z.strictObject({ team: z.string(), role, ...narrowingShape }))

const meSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['user', 'machine']),
  email: z.string().optional(),
  admin: z.boolean(),
  teams,
  token: z.strictObject({
    id: z.string(),
    read_only: z.boolean(),
    teams: z.array(z.string()).optional(),
    ...narrowingShape,
    role: role.optional(),
  }),
})

const withTeams = userSchema.extend({ teams })

export const userRoutes = routesOf('Users', [
  route({
    id: 'getMe',
    at: 'GET /me',
    summary: 'Who you are, and your roles.',
    access: { in: 'self' },
    response: { description: 'The user or machine of the token.', schema: meSchema },
    handle: async ({ deps, principal }) => {
      const { id, kind, admin, roles, tokenId, limits } = principal
      const user = kind === 'user' ? await deps.people.users.get(id) : undefined
      const me = {
        ...principal,
        email: user?.email,
        admin: admin || limits?.ofAdmin === true,
        teams: [...roles].map(([team, held]) => ({
          team,
          role: held,
          ...principal.narrowings?.get(team),
        })),
        token: {
          id: tokenId,
          readOnly: limits?.readOnly === true,
          teams: limits?.namespaces,
          ...limits?.narrowing,
          role: limits?.role,
        },
      }
      return { body: answer(meSchema, me) }
    },
  }),
  listRoute({
    id: 'listUsers',
    at: 'GET /users',
    summary: 'All users.',
    access: { in: 'admin', verb: 'list' },
    description: 'In order of their names.',
    item: userSchema,
    read: ({ deps }) => deps.people.users.list(),
    order: { of: 'users', placeOf: ({ name }) => [name] },
  }),
  route({
    id: 'createUser',
    at: 'POST /users',
    summary: 'Add a user. Who logs in by the OpenID provider is added by that.',
    access: { in: 'admin', verb: 'create' },
    session: 'confirmed',
    body: z.strictObject({
      name: z.string().max(128).describe('Login name; never changes.'),
      email: email.optional(),
      display_name: displayName.optional(),
      admin: z.boolean().default(false),
    }),
    response: { status: 201, description: 'The new user.', schema: userSchema },
    handle: async ({ deps, actor, body: { display_name, ...input } }) => {
      const made = await deps.people.users.create(actor, { ...input, displayName: display_name })
      return { body: answer(userSchema, made) }
    },
  }),
  route({
    id: 'getUser',
    at: 'GET /users/:user',
    summary: 'One user, by id, name or e-mail address.',
    access: { in: 'admin', verb: 'get' },
    response: { description: 'The user and the teams.', schema: withTeams },
    handle: async ({ deps: { people }, params }) => {
      const user = await people.users.get(params['user'] ?? '')
      const memberships = (await people.members.teamsOf(user.id)).map(shownNarrowed)
      return { body: answer(withTeams, { ...user, teams: memberships }) }
    },
  }),
  route({
    id: 'updateUser',
    at: 'PATCH /users/:user',
    summary: 'Change a user. `disabled: true` refuses every token of theirs from now on.',
    access: { in: 'admin', verb: 'patch' },
    session: 'confirmed',
    body: z.strictObject({
      email: email.nullable().optional(),
      display_name: displayName.nullable().optional(),
      admin: z.boolean().optional(),
      disabled: z.boolean().optional(),
    }),
    response: { description: 'The user as it is now.', schema: userSchema },
    handle: async ({ deps, actor, params, body: { display_name, ...change } }) => {
      const { user = '' } = params
      const all = { ...change, displayName: display_name }
      return { body: answer(userSchema, await deps.people.users.update(actor, user, all)) }
    },
  }),
  route({
    id: 'deleteUser',
    at: 'DELETE /users/:user',
    summary: 'Remove a user with tokens and memberships. The audit keeps what they did.',
    access: { in: 'admin', verb: 'delete' },
    session: 'confirmed',
    response: { description: 'The user is gone.', schema: deletedSchema },
    handle: async ({ deps, actor, params }) => {
      await deps.people.users.remove(actor, params['user'] ?? '')
      return deleted
    },
  }),
])
