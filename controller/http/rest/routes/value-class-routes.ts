// Which secrets of one key hold equal values, without anybody seeing one.
import * as z from 'zod'
import { grouped } from '../../../../src/kernel/grouped.ts'
import { limits } from '../../../../src/resources/limits.ts'
import type { ProjectEntry } from '../../../../src/secrets/set-entry.ts'
import { refOf } from '../../../../src/resources/meta.ts'
import { renderId } from '../ids.ts'
import { listRoute } from '../lists.ts'
import { requireTarget, routesOf } from '../route.ts'

const classesSchema = z.strictObject({
  key: z.string(),
  classes: z
    .array(z.array(z.string()))
    .describe('Ids of secrets; those of one list hold the same value.'),
})

/** Keys with one secret only have nothing to compare. */
const classesOf = (entries: readonly ProjectEntry[]): z.infer<typeof classesSchema>[] =>
  [...grouped(entries, ({ key }) => key)]
    .filter(([, secrets]) => secrets.length > 1)
    .map(([key, secrets]) => ({
      key,
      classes: [...grouped(secrets, ({ valueDigest }) => valueDigest).values()]
        .map((same) => same.map(({ secretId }) => renderId('StagelySecret', secretId)).sort())
        .sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
    }))

export const valueClassRoutes = routesOf('Secrets', [
  listRoute({
    id: 'listValueClasses',
    at: 'GET /projects/:project_id/value-classes',
    summary: 'Which secrets of the same key hold equal values, as their keyed digests tell.',
    // Not for those who only read: a test value that equals the one of production says much.
    access: { in: 'project', verb: 'update', resource: 'stagelysecrets' },
    query: { key: z.string().max(limits.name).optional().describe('Only secrets with this key.') },
    description:
      'Keys that several secrets have. Never values. Texts with references are compared as they are written; a file and a variable, and files with different places or modes, are never called equal. Guarded values are left out, unless a grant of yours that was used covers them.',
    list: 'keys',
    item: classesSchema,
    read: async (context) => {
      const project = requireTarget(context)
      const { store } = context.deps
      const { entries } = await store.readSet(project.metadata.uid ?? '', 'head')
      const { key } = context.query
      return store.write(context.actor, { dryRun: true }, async (tx) => {
        const hidden = await tx.hiddenFrom(refOf(project))
        const told = entries.filter(({ secretId }) => !hidden.has(secretId))
        const classes = classesOf(told.filter((entry) => key === undefined || entry.key === key))
        const keys = classes.map((found) => found.key)
        tx.checkClasses(refOf(project), keys)
        return classes
      })
    },
    order: { of: 'value-classes', placeOf: ({ key }) => [key] },
  }),
])
