// Projects.
import * as z from 'zod'
import { refOf } from '../../../../src/resources/meta.ts'
import { checkUnused } from '../../in-use.ts'
import { createRoute, deleteRoute, readRoutes, updateRoute, type RestKind } from './kind-routes.ts'
import { projectFields, projectSchema } from '../kinds.ts'
import { deleted } from '../representations.ts'
import { requireTarget, routesOf } from '../route.ts'
import { readAgain } from '../writes.ts'

const projects: RestKind = { kind: 'Project', schema: projectSchema, fields: projectFields }

const erase = z
  .enum(['true', 'false'])
  .default('false')
  .describe(
    'true: its keys go at once, and with them every value; false: the secrets can be restored for their grace time, in a project of the same name.',
  )

const isErase = (query: unknown): boolean => (query as { erase: string }).erase === 'true'

export const projectRoutes = routesOf('Projects', [
  ...readRoutes(projects, { summaries: ['Projects of all your teams.', 'One project.'] }),
  createRoute(projects, { summary: 'Make a project in one of your teams.' }),
  updateRoute(projects),
  deleteRoute(projects, {
    summary: 'Delete a project with all its secrets; 409 while stagelets use it.',
    query: z.strictObject({ erase }),
    session: (query) => (isErase(query) ? 'confirmed' : undefined),
    handle: async (context) => {
      await context.deps.store.write(context.actor, {}, async (tx) => {
        const current = await readAgain(tx, requireTarget(context), context.ifMatch)
        await checkUnused(tx, refOf(current))
        await tx.removeProject(refOf(current), { erase: isErase(context.query) })
      })
      return deleted
    },
  }),
])
