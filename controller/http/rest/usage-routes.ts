// Who sees this key: every service of every stagelet that it goes to, and which version runs there.
import { z } from 'zod'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { consumersBySecret, runsCurrent } from '../../reconcilers/project/decide.ts'
import { gatherProject, type ProjectInput } from '../../reconcilers/project/gather.ts'
import { notFound } from './access.ts'
import type { RestDeps } from './deps.ts'
import { idOf } from './ids.ts'
import { nextCursor, pagedBy, pageQuery } from './paging.ts'
import { requireTarget, route, type RestRoute } from './route.ts'

const usageSchema = z.strictObject({
  id: z.string().describe('`sec_…`'),
  key: z.string(),
  scope: z.string(),
  version: z.int().describe('Version of the stored value; 0 while there is none.'),
  consumers: z.array(
    z.strictObject({
      stagelet: z.string(),
      stagelet_id: z.string(),
      service: z.string(),
      running_version: z.int().optional().describe('Absent while it is not known to run.'),
      in_sync: z
        .boolean()
        .optional()
        .describe(
          'It runs this version, and of what the value refers to the newest as well. Absent while nobody sees it.',
        ),
    }),
  ),
})

type Usage = z.infer<typeof usageSchema>

const order = { of: 'usage', placeOf: ({ key, scope, id }: Usage) => [key, scope, id] }

export const usageRoutes = ({ store, clock }: RestDeps): RestRoute[] => [
  route({
    id: 'secretUsage',
    method: 'GET',
    path: '/projects/:project_id/usage',
    tag: 'Secrets',
    summary: 'Who sees a key: services and stagelets, with the version that runs there.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets' },
    query: z.strictObject({
      key: z.string().optional().describe('Only secrets with this key.'),
      ...pageQuery,
    }),
    response: {
      status: 200,
      description: 'Each secret with its consumers, in order of key and scope.',
      schema: z.strictObject({ usage: z.array(usageSchema), next_cursor: nextCursor }),
    },
    handle: async (context) => {
      const { namespace = '', name } = requireTarget(context).metadata
      const now = toTimestamp(clock.now())
      const input = await gatherProject(store, { namespace, name }, now)
      if (input === undefined) throw notFound('project', name)
      const { items, next } = pagedBy(usageOf(input, context.query.key), order, context.query)
      return { status: 200, body: { usage: items, ...next } }
    },
  }),
]

const usageOf = (input: ProjectInput, key: string | undefined): Usage[] => {
  const consumers = consumersBySecret(input)
  return input.secrets
    .filter((secret) => key === undefined || secret.spec.key === key)
    .map((secret) => {
      const uid = secret.metadata.uid ?? ''
      const version = secret.status?.version ?? 0
      return {
        id: idOf(secret),
        key: secret.spec.key,
        scope: secret.spec.scope,
        version,
        consumers: (consumers.get(uid) ?? []).map((consumer) => {
          const { stagelet, service } = consumer
          const set = input.runningSets.get(service.revision ?? 0)
          const running = set?.entries.find((entry) => entry.secretId === uid)?.version
          return {
            stagelet: stagelet.metadata.name,
            stagelet_id: idOf(stagelet),
            service: service.name,
            ...(running === undefined ? {} : { running_version: running }),
            ...(service.state === 'unknown'
              ? {}
              : { in_sync: runsCurrent(input, secret, consumer) }),
          }
        }),
      }
    })
}
