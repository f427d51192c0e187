// Users, who are the controller's and not a team's: for admins. And who is asking.
import { z } from 'zod'
import type { RestDeps } from '../deps.ts'
import { nextCursor, pagedBy, pageQuery } from '../paging.ts'
import { deleted, deletedSchema } from '../representations.ts'
import { route, type RestRoute } from '../route.ts'
import { role, toUser, userSchema } from './shapes.ts'

const tag = 'Users'
const email = z.string().max(254).describe('Unique; the OpenID provider is matched by it at first.')
const displayName = z.string().min(1).max(200)

export const userRoutes = (deps: RestDeps): RestRoute[] => [
  getMe(deps),
  listUsers(deps),
  createUser(deps),
  getUser(deps),
  updateUser(deps),
  deleteUser(deps),
]

const getMe = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'getMe',
    method: 'GET',
    path: '/me',
    tag,
    summary: 'Who you are, and your roles.',
    access: { in: 'self' },
    response: {
      status: 200,
      description: 'The user or machine of the token.',
      schema: z.strictObject({
        id: z.string(),
        name: z.string(),
        kind: z.enum(['user', 'machine']),
        email: z.string().optional(),
        admin: z.boolean(),
        teams: z.array(z.strictObject({ team: z.string(), role })),
        token: z.strictObject({
          id: z.string(),
          read_only: z.boolean(),
          teams: z.array(z.string()).optional(),
          role: role.optional(),
        }),
      }),
    },
    handle: async ({ principal }) => {
      const { id, name, kind, admin, roles, tokenId, limits } = principal
      const mail = kind === 'user' ? (await people.users.get(id)).email : undefined
      return {
        status: 200,
        body: {
          id,
          name,
          kind,
          ...(mail === undefined ? {} : { email: mail }),
          admin: admin || limits?.ofAdmin === true,
          teams: [...roles].map(([team, held]) => ({ team, role: held })),
          token: {
            id: tokenId,
            read_only: limits?.readOnly === true,
            ...(limits?.namespaces === undefined ? {} : { teams: limits.namespaces }),
            ...(limits?.role === undefined ? {} : { role: limits.role }),
          },
        },
      }
    },
  })

const listUsers = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'listUsers',
    method: 'GET',
    path: '/users',
    tag,
    summary: 'All users.',
    access: { in: 'admin', verb: 'list' },
    query: z.strictObject(pageQuery),
    response: {
      status: 200,
      description: 'In order of their names.',
      schema: z.strictObject({ users: z.array(userSchema), next_cursor: nextCursor }),
    },
    handle: async ({ query }) => {
      const users = (await people.users.list()).map(toUser)
      const order = { of: 'users', placeOf: ({ name }: { name: string }) => [name] }
      const { items, next } = pagedBy(users, order, query)
      return { status: 200, body: { users: items, ...next } }
    },
  })

const createUser = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'createUser',
    method: 'POST',
    path: '/users',
    tag,
    summary: 'Add a user. Who logs in by the OpenID provider is added by that.',
    access: { in: 'admin', verb: 'create' },
    body: z.strictObject({
      name: z.string().max(128).describe('Login name; never changes.'),
      email: email.optional(),
      display_name: displayName.optional(),
      admin: z.boolean().default(false),
    }),
    response: { status: 201, description: 'The new user.', schema: userSchema },
    handle: async ({ actor, body }) => {
      const { name, admin, display_name } = body
      const input = { name, email: body.email, displayName: display_name, admin }
      return { status: 201, body: toUser(await people.users.create(actor, input)) }
    },
  })

const getUser = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'getUser',
    method: 'GET',
    path: '/users/:user',
    tag,
    summary: 'One user, by id, name or e-mail address.',
    access: { in: 'admin', verb: 'get' },
    response: {
      status: 200,
      description: 'The user and the teams.',
      schema: userSchema.extend({
        teams: z.array(z.strictObject({ team: z.string(), role })),
      }),
    },
    handle: async ({ params }) => {
      const user = await people.users.get(params['user'] ?? '')
      const teams = await people.members.teamsOf(user.id)
      return { status: 200, body: { ...toUser(user), teams } }
    },
  })

const updateUser = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'updateUser',
    method: 'PATCH',
    path: '/users/:user',
    tag,
    summary: 'Change a user. `disabled: true` refuses every token of theirs from now on.',
    access: { in: 'admin', verb: 'patch' },
    body: z.strictObject({
      email: email.nullable().optional(),
      display_name: displayName.nullable().optional(),
      admin: z.boolean().optional(),
      disabled: z.boolean().optional(),
    }),
    response: { status: 200, description: 'The user as it is now.', schema: userSchema },
    handle: async ({ actor, params, body }) => {
      const { email: mail, display_name, admin, disabled } = body
      const change = { email: mail, displayName: display_name, admin, disabled }
      return {
        status: 200,
        body: toUser(await people.users.update(actor, params['user'] ?? '', change)),
      }
    },
  })

const deleteUser = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'deleteUser',
    method: 'DELETE',
    path: '/users/:user',
    tag,
    summary: 'Remove a user with tokens and memberships. The audit keeps what they did.',
    access: { in: 'admin', verb: 'delete' },
    response: { status: 200, description: 'The user is gone.', schema: deletedSchema },
    handle: async ({ actor, params }) => {
      await people.users.remove(actor, params['user'] ?? '')
      return deleted
    },
  })
