// Projects.
import * as z from 'zod'
import { apiVersion, refOf } from '../../../src/resources/meta.ts'
import { withFields } from '../../../src/resources/rest-fields.ts'
import { objectName } from '../../../src/resources/status.ts'
import { checkUnused } from '../in-use.ts'
import { requireIn } from './access.ts'
import { projectFields, projectSchema, toProject } from './kinds.ts'
import { readRoutes } from './lists.ts'
import { deleted, deletedSchema } from './representations.ts'
import { requireTarget, route, routesOf } from './route.ts'
import { inRequestNames } from './secrets.ts'
import { createShape, updateShape } from './shapes.ts'
import { changeTarget, shownAs } from './target.ts'
import { createTracked, readAgain } from './writes.ts'

const place = z.strictObject({
  team: z.string().min(1).default('default').describe('The team that it belongs to.'),
  name: objectName.describe('Name of the project, unique in its team.'),
})
const createBody = place.extend(createShape(projectFields)) as unknown as z.ZodType<
  z.infer<typeof place>
>

const erase = z
  .enum(['true', 'false'])
  .default('false')
  .describe(
    'true: its keys go at once, and with them every value; false: the secrets can be restored for their grace time, in a project of the same name.',
  )

export const projectRoutes = routesOf('Projects', [
  ...readRoutes({
    kind: 'Project',
    schema: projectSchema,
    summaries: ['Projects of all your teams.', 'One project.'],
    page: 'One page of projects.',
  }),
  route({
    id: 'createProject',
    at: 'POST /projects',
    summary: 'Make a project in one of your teams.',
    access: { in: 'teams', verb: 'create', resource: 'projects' },
    body: createBody,
    response: { status: 201, description: 'The new project.', schema: projectSchema },
    handle: async ({ deps: { store, clock }, principal, actor, body }) => {
      requireIn(principal, { verb: 'create', resource: 'projects' }, body.team)
      const { name, team, ...fields } = body
      const spec = withFields(projectFields, {}, fields)
      const object = { apiVersion, kind: 'Project', metadata: { name, namespace: team }, spec }
      const made = await inRequestNames(() =>
        store.write(actor, {}, (tx) => createTracked(tx, object, clock.now())),
      )
      return shownAs(made, toProject)
    },
  }),
  route({
    id: 'updateProject',
    at: 'PATCH /projects/:project_id',
    summary: 'Change what is given. `null` takes a field away.',
    access: { in: 'project', verb: 'patch', resource: 'projects' },
    heedsIfMatch: true,
    body: z.strictObject(updateShape(projectFields)),
    response: { description: 'The project as it is now.', schema: projectSchema },
    handle: async (context) => {
      const updated = await inRequestNames(() =>
        changeTarget(context, (before) => ({
          ...before,
          spec: withFields(projectFields, before.spec ?? {}, context.body),
        })),
      )
      return shownAs(updated, toProject)
    },
  }),
  route({
    id: 'deleteProject',
    at: 'DELETE /projects/:project_id',
    summary: 'Delete a project with all its secrets; 409 while stagelets use it.',
    access: { in: 'project', verb: 'delete', resource: 'projects' },
    heedsIfMatch: true,
    query: z.strictObject({ erase }),
    session: (query) => (query.erase === 'true' ? 'confirmed' : undefined),
    response: { description: 'It is gone.', schema: deletedSchema },
    handle: async (context) => {
      const isErased = context.query.erase === 'true'
      await context.deps.store.write(context.actor, {}, async (tx) => {
        const current = await readAgain(tx, requireTarget(context), context.ifMatch)
        await checkUnused(tx, refOf(current))
        await tx.removeProject(refOf(current), { erase: isErased })
      })
      return deleted
    },
  }),
])
