// Projects.
import { z } from 'zod'
import { teamsWhere } from '../../../src/access/principal.ts'
import { apiVersion, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { ProjectStatus } from '../../../src/resources/project.ts'
import { objectName } from '../../../src/resources/status.ts'
import { checkUnused } from '../in-use.ts'
import { requireIn } from './access.ts'
import type { RestDeps } from './deps.ts'
import { idOf } from './ids.ts'
import { listPaged, nextCursor, pageQuery } from './paging.ts'
import {
  projectCreateShape,
  projectUpdateShape,
  shownProject,
  withProjectInput,
} from './project-fields.ts'
import {
  conditions,
  conditionsOf,
  deleted,
  deletedSchema,
  source,
  sourceOf,
  time,
} from './representations.ts'
import { requireTarget, route, type RestRoute } from './route.ts'
import { inRequestNames } from './secrets.ts'
import { changeTarget, shownAs, showTarget } from './target.ts'
import { createTracked, readAgain } from './writes.ts'

const tag = 'Projects'

export const projectSchema = z
  .strictObject({
    id: z.string().describe('`proj_…`; paths take it, and `team/name` as well.'),
    name: z.string(),
    team: z.string().describe('The team (namespace) that it belongs to.'),
    ...projectCreateShape,
    revision: z.int().describe('Newest closed revision of the secret set.'),
    secrets: z.int().describe('How many secrets the newest set holds.'),
    source,
    created_at: time,
    conditions,
  })
  .describe('A set of secrets and the stacks that get them.')

export const toProject = (object: KubeObject): z.infer<typeof projectSchema> => {
  const { name, namespace = '', creationTimestamp = '' } = object.metadata
  const status = (object.status ?? {}) as ProjectStatus
  return {
    id: idOf(object),
    name,
    team: namespace,
    ...shownProject(object.spec ?? {}),
    revision: status.revision ?? 0,
    secrets: status.secrets ?? 0,
    source: sourceOf(object),
    created_at: creationTimestamp,
    conditions: conditionsOf(object),
  }
}

export const projectRoutes = (deps: RestDeps): RestRoute[] => [
  listProjects(deps),
  createProject(deps),
  getProject,
  updateProject(deps),
  deleteProject(deps),
]

const listProjects = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'listProjects',
    method: 'GET',
    path: '/projects',
    tag,
    summary: 'Projects of all your teams.',
    access: { in: 'teams', verb: 'list', resource: 'projects' },
    query: z.strictObject({
      team: z.string().optional().describe('Only of this team.'),
      ...pageQuery,
    }),
    response: {
      status: 200,
      description: 'One page of projects.',
      schema: z.strictObject({ projects: z.array(projectSchema), next_cursor: nextCursor }),
    },
    handle: async ({ principal, query }) => {
      const mine = teamsWhere(principal, 'list', 'projects')
      if (query.team !== undefined)
        requireIn(principal, { verb: 'list', resource: 'projects' }, query.team)
      const namespaces = query.team === undefined ? mine : [query.team]
      const page = await listPaged(store, 'Project', { namespaces, selects: () => true }, query)
      return { status: 200, body: { projects: page.items.map(toProject), ...page.next } }
    },
  })

const createProject = ({ store, clock }: RestDeps): RestRoute =>
  route({
    id: 'createProject',
    method: 'POST',
    path: '/projects',
    tag,
    summary: 'Make a project in one of your teams.',
    access: { in: 'teams', verb: 'create', resource: 'projects' },
    body: z.strictObject({
      team: z.string().min(1).default('default').describe('The team that it belongs to.'),
      name: objectName.describe('Name of the project, unique in its team.'),
      ...projectCreateShape,
    }),
    response: { status: 201, description: 'The new project.', schema: projectSchema },
    handle: async ({ principal, actor, body }) => {
      requireIn(principal, { verb: 'create', resource: 'projects' }, body.team)
      const { name, team, ...fields } = body
      const metadata = { name, namespace: team }
      const object = { apiVersion, kind: 'Project', metadata, spec: withProjectInput({}, fields) }
      const made = await inRequestNames(() =>
        store.write(actor, {}, (tx) => createTracked(tx, object, clock.now())),
      )
      return shownAs(201, made, toProject)
    },
  })

const getProject: RestRoute = route({
  id: 'getProject',
  method: 'GET',
  path: '/projects/:project_id',
  tag,
  summary: 'One project.',
  access: { in: 'project', verb: 'get', resource: 'projects' },
  response: { status: 200, description: 'The project.', schema: projectSchema },
  handle: showTarget(toProject),
})

const updateProject = (deps: RestDeps): RestRoute =>
  route({
    id: 'updateProject',
    method: 'PATCH',
    path: '/projects/:project_id',
    tag,
    summary: 'Change what is given. `null` takes a field away.',
    access: { in: 'project', verb: 'patch', resource: 'projects' },
    heedsIfMatch: true,
    body: z.strictObject(projectUpdateShape),
    response: { status: 200, description: 'The project as it is now.', schema: projectSchema },
    handle: async (context) => {
      const updated = await inRequestNames(() =>
        changeTarget(deps, context, (before) => ({
          ...before,
          spec: withProjectInput(before.spec ?? {}, context.body),
        })),
      )
      return shownAs(200, updated, toProject)
    },
  })

const deleteProject = (deps: RestDeps): RestRoute =>
  route({
    id: 'deleteProject',
    method: 'DELETE',
    path: '/projects/:project_id',
    tag,
    summary: 'Delete a project with all its secrets; 409 while stagelets use it.',
    access: { in: 'project', verb: 'delete', resource: 'projects' },
    heedsIfMatch: true,
    query: z.strictObject({
      erase: z
        .enum(['true', 'false'])
        .default('false')
        .describe(
          'true: its keys go at once, and with them every value; false: the secrets can be restored for their grace time, in a project of the same name.',
        ),
    }),
    response: { status: 200, description: 'It is gone.', schema: deletedSchema },
    handle: async (context) => {
      const erase = context.query.erase === 'true'
      await deps.store.write(context.actor, {}, async (tx) => {
        const current = await readAgain(tx, requireTarget(context), context.ifMatch)
        await checkUnused(tx, refOf(current))
        await tx.removeProject(refOf(current), { erase })
      })
      return deleted
    },
  })
