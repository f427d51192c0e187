// Teams, which are namespaces, and their members.
import * as z from 'zod'
import { teamsWhere } from '../../../../src/access/principal.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import { checkUnused } from '../../in-use.ts'
import { teamSchema, toTeam } from '../kinds.ts'
import { listRoute } from '../lists.ts'
import { listPaged, pageOf, pageQuery } from '../paging.ts'
import { deleted, deletedSchema } from '../representations.ts'
import { requireTarget, route, routesOf } from '../route.ts'
import { answer } from '../shapes.ts'
import { deleteTarget, shownAs, showTarget } from '../target.ts'
import { createTracked } from '../writes.ts'
import { memberSchema, narrowingChange, role, shownNarrowed } from './shapes.ts'

const teamName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and "-"')
  .max(63)

const nameOf = (context: Parameters<typeof requireTarget>[0]): string =>
  requireTarget(context).metadata.name

const teams = [
  route({
    id: 'listTeams',
    at: 'GET /teams',
    summary: 'Your teams; of an admin, all.',
    access: { in: 'teams', verb: 'list', resource: 'namespaces', placed: true },
    query: z.strictObject(pageQuery),
    response: { description: 'One page of teams.', schema: pageOf('teams', teamSchema) },
    handle: async ({ deps, principal, query }) => {
      const mine = teamsWhere(principal, 'list', 'namespaces')
      const selects = ({ metadata }: KubeObject): boolean => mine?.includes(metadata.name) ?? true
      const wanted = { namespaces: undefined, selects }
      const { items, next } = await listPaged(deps.store, 'Namespace', wanted, query)
      return { body: { teams: items.map(toTeam), ...next } }
    },
  }),
  route({
    id: 'createTeam',
    at: 'POST /teams',
    summary: 'Make a team.',
    access: { in: 'admin', verb: 'create' },
    body: z.strictObject({ name: teamName }),
    response: { status: 201, description: 'The new team.', schema: teamSchema },
    handle: async ({ deps: { store, clock }, actor, body }) => {
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: body.name } }
      const made = await store.write(actor, {}, (tx) => createTracked(tx, object, clock.now()))
      return shownAs(made, toTeam)
    },
  }),
  route({
    id: 'getTeam',
    at: 'GET /teams/:team',
    summary: 'One team.',
    access: { in: 'team', verb: 'get', resource: 'namespaces' },
    response: { description: 'The team.', schema: teamSchema },
    handle: showTarget(toTeam),
  }),
  route({
    id: 'deleteTeam',
    at: 'DELETE /teams/:team',
    summary: 'Delete a team with everything in it, for good; 409 while it has stagelets.',
    access: { in: 'team', verb: 'delete', resource: 'namespaces' },
    session: 'confirmed',
    heedsIfMatch: true,
    response: { description: 'It goes with its content.', schema: deletedSchema },
    handle: deleteTarget(checkUnused),
  }),
]

const members = [
  listRoute({
    id: 'listMembers',
    at: 'GET /teams/:team/members',
    summary: 'Who is in the team, and in which role.',
    access: { in: 'team', verb: 'list', resource: 'members' },
    description: 'In order of their names.',
    item: memberSchema,
    read: async (context) =>
      (await context.deps.people.members.list(nameOf(context))).map(shownNarrowed),
    order: { of: 'members', placeOf: ({ user }) => [user] },
  }),
  route({
    id: 'putMember',
    at: 'PUT /teams/:team/members/:user',
    summary: 'Add a user (by id, name or e-mail address) to the team, or change role and place.',
    access: { in: 'team', verb: 'update', resource: 'members' },
    session: 'confirmed',
    body: z.strictObject({ role, ...narrowingChange }),
    response: { description: 'The member.', schema: memberSchema },
    handle: async (context) => {
      const { actor, params, body, deps } = context
      const { user = '' } = params
      const { role: given, ...narrowing } = body
      const grant = { role: given, narrowing }
      const member = await deps.people.members.put(actor, nameOf(context), user, grant)
      return { body: answer(memberSchema, shownNarrowed(member)) }
    },
  }),
  route({
    id: 'removeMember',
    at: 'DELETE /teams/:team/members/:user',
    summary: 'Take a user out of the team.',
    access: { in: 'team', verb: 'delete', resource: 'members' },
    session: 'confirmed',
    response: { description: 'No member any more.', schema: deletedSchema },
    handle: async (context) => {
      const { actor, params, deps } = context
      await deps.people.members.remove(actor, nameOf(context), params['user'] ?? '')
      return deleted
    },
  }),
]

export const teamRoutes = routesOf('Teams', [...teams, ...members])
