// Teams, which are namespaces, and their members.
import { z } from 'zod'
import { teamsWhere } from '../../../../src/access/principal.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import type { Member } from '../../../../src/store/members.ts'
import { checkUnused } from '../../in-use.ts'
import type { RestDeps } from '../deps.ts'
import { listPaged, nextCursor, pagedBy, pageQuery } from '../paging.ts'
import { conditions, conditionsOf, deleted, deletedSchema, time } from '../representations.ts'
import { requireTarget, route, type RestRoute } from '../route.ts'
import { deleteTarget, shownAs, showTarget } from '../target.ts'
import { createTracked } from '../writes.ts'
import { memberSchema, role, toMember } from './shapes.ts'

const tag = 'Teams'

const teamSchema = z
  .strictObject({ name: z.string(), created_at: time, conditions })
  .describe('A team: a namespace.')

const toTeam = (object: KubeObject): z.infer<typeof teamSchema> => ({
  name: object.metadata.name,
  created_at: object.metadata.creationTimestamp ?? '',
  conditions: conditionsOf(object),
})

const teamName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and "-"')
  .max(63)

export const teamRoutes = (deps: RestDeps): RestRoute[] => [
  listTeams(deps),
  createTeam(deps),
  getTeam,
  deleteTeam(deps),
  listMembers(deps),
  putMember(deps),
  removeMember(deps),
]

const listTeams = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'listTeams',
    method: 'GET',
    path: '/teams',
    tag,
    summary: 'Your teams; of an admin, all.',
    access: { in: 'teams', verb: 'list', resource: 'namespaces' },
    query: z.strictObject(pageQuery),
    response: {
      status: 200,
      description: 'One page of teams.',
      schema: z.strictObject({ teams: z.array(teamSchema), next_cursor: nextCursor }),
    },
    handle: async ({ principal, query }) => {
      const mine = teamsWhere(principal, 'list', 'namespaces')
      const selects = ({ metadata }: KubeObject): boolean => mine?.includes(metadata.name) ?? true
      const page = await listPaged(store, 'Namespace', { namespaces: undefined, selects }, query)
      return { status: 200, body: { teams: page.items.map(toTeam), ...page.next } }
    },
  })

const createTeam = ({ store, clock }: RestDeps): RestRoute =>
  route({
    id: 'createTeam',
    method: 'POST',
    path: '/teams',
    tag,
    summary: 'Make a team.',
    access: { in: 'admin', verb: 'create' },
    body: z.strictObject({ name: teamName }),
    response: { status: 201, description: 'The new team.', schema: teamSchema },
    handle: async ({ actor, body }) => {
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: body.name } }
      const made = await store.write(actor, {}, (tx) => createTracked(tx, object, clock.now()))
      return shownAs(201, made, toTeam)
    },
  })

const getTeam: RestRoute = route({
  id: 'getTeam',
  method: 'GET',
  path: '/teams/:team',
  tag,
  summary: 'One team.',
  access: { in: 'team', verb: 'get', resource: 'namespaces' },
  response: { status: 200, description: 'The team.', schema: teamSchema },
  handle: showTarget(toTeam),
})

const deleteTeam = (deps: RestDeps): RestRoute =>
  route({
    id: 'deleteTeam',
    method: 'DELETE',
    path: '/teams/:team',
    tag,
    summary: 'Delete a team with everything in it, for good; 409 while it has stagelets.',
    access: { in: 'team', verb: 'delete', resource: 'namespaces' },
    heedsIfMatch: true,
    response: { status: 200, description: 'It goes with its content.', schema: deletedSchema },
    handle: deleteTarget(deps, checkUnused),
  })

const listMembers = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'listMembers',
    method: 'GET',
    path: '/teams/:team/members',
    tag,
    summary: 'Who is in the team, and in which role.',
    access: { in: 'team', verb: 'list', resource: 'members' },
    query: z.strictObject(pageQuery),
    response: {
      status: 200,
      description: 'In order of their names.',
      schema: z.strictObject({ members: z.array(memberSchema), next_cursor: nextCursor }),
    },
    handle: async (context) => {
      const members = await people.members.list(requireTarget(context).metadata.name)
      const order = { of: 'members', placeOf: ({ user }: Member) => [user] }
      const { items, next } = pagedBy(members, order, context.query)
      return { status: 200, body: { members: items.map(toMember), ...next } }
    },
  })

const putMember = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'putMember',
    method: 'PUT',
    path: '/teams/:team/members/:user',
    tag,
    summary: 'Add a user (by id, name or e-mail address) to the team, or change the role.',
    access: { in: 'team', verb: 'update', resource: 'members' },
    body: z.strictObject({ role }),
    response: { status: 200, description: 'The member.', schema: memberSchema },
    handle: async (context) => {
      const { actor, params, body } = context
      const team = requireTarget(context).metadata.name
      const member = await people.members.put(actor, team, params['user'] ?? '', body.role)
      return { status: 200, body: toMember(member) }
    },
  })

const removeMember = ({ people }: RestDeps): RestRoute =>
  route({
    id: 'removeMember',
    method: 'DELETE',
    path: '/teams/:team/members/:user',
    tag,
    summary: 'Take a user out of the team.',
    access: { in: 'team', verb: 'delete', resource: 'members' },
    response: { status: 200, description: 'No member any more.', schema: deletedSchema },
    handle: async (context) => {
      const { actor, params } = context
      await people.members.remove(actor, requireTarget(context).metadata.name, params['user'] ?? '')
      return deleted
    },
  })
