// Who sees a key: every service of every stagelet, and the version that runs there.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import { isStopped } from '../../../../src/kinds/stagelet/stopped-service.ts'
import { consumersBySecret, runsCurrent } from '../../../reconcilers/project/decide.ts'
import { gatherProject, type ProjectInput } from '../../../reconcilers/project/gather.ts'
import { restNotFound } from '../access.ts'
import { idOf } from '../ids.ts'
import { listRoute } from '../lists.ts'
import { requireTarget, routesOf } from '../route.ts'

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
          'It runs this version, and of what the value refers to the newest as well; a stopped container runs none. Absent while nobody sees it.',
        ),
    }),
  ),
})

/** In the names of the objects; the answer has names of its own. */
const usageOf = (input: ProjectInput, key: string | undefined) => {
  const consumers = consumersBySecret(input)
  const running = new Map(
    [...input.runningSets].map(([revision, { entries }]) => [
      revision,
      new Map(entries.map((entry) => [entry.secretId, entry])),
    ]),
  )
  return input.secrets
    .filter((secret) => key === undefined || secret.spec.key === key)
    .map((secret) => {
      const uid = secret.metadata.uid ?? ''
      return {
        id: idOf(secret),
        key: secret.spec.key,
        scope: secret.spec.scope,
        version: secret.status?.version ?? 0,
        consumers: (consumers.get(uid) ?? []).map((consumer) => {
          const { stagelet, service } = consumer
          const isUnknown = service.state === 'unknown'
          const hasStopped = isStopped(service)
          const entry = running.get(service.revision ?? 0)?.get(uid)
          return {
            stagelet: stagelet.metadata.name,
            stageletId: idOf(stagelet),
            service: service.name,
            runningVersion: hasStopped ? undefined : entry?.version,
            inSync: isUnknown ? undefined : !hasStopped && runsCurrent(input, secret, consumer),
          }
        }),
      }
    })
}

export const usageRoutes = routesOf('Secrets', [
  listRoute({
    id: 'secretUsage',
    at: 'GET /projects/:project_id/usage',
    summary: 'Who sees a key: services and stagelets, with the version that runs there.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets', placed: true },
    query: { key: z.string().max(limits.name).optional().describe('Only secrets with this key.') },
    description: 'Each secret with its consumers, in order of key and scope.',
    item: usageSchema,
    read: async (context) => {
      const { store, clock } = context.deps
      const { namespace = '', name } = requireTarget(context).metadata
      const now = toTimestamp(clock.now())
      const input = await gatherProject(store, { namespace, name }, now)
      if (input === undefined) throw restNotFound('project', name)
      return usageOf(input, context.query.key)
    },
    order: { of: 'usage', placeOf: ({ key, scope, id }) => [key, scope, id] },
  }),
])
