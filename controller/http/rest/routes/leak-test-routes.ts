// Leak tests of a stagelet: which secrets its containers have printed. The agent counts; no line of a
// log comes here.
import * as z from 'zod'
import { maxLeakTestLines } from '../../../../src/protocol/leak-test.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import { stageletSpec } from '../../../../src/resources/kinds/stagelet.ts'
import type { PendingLeakTest } from '../../agents/orders/leak-tests.ts'
import { restNotFound } from '../access.ts'
import { idOf } from '../ids.ts'
import { listRoute } from '../lists.ts'
import { timeSchema } from '../representations.ts'
import { requireTarget, route, routesOf } from '../route.ts'
import { answer } from '../shapes.ts'

const defaultTail = 10_000

const serviceSchema = z.strictObject({
  name: z.string(),
  lines: z.int().describe('Lines that were read.'),
  hits: z
    .array(z.strictObject({ key: z.string(), count: z.int() }))
    .describe('Keys whose values were printed, in any form that is hidden in logs. Empty: none.'),
  unmaskable: z
    .array(z.string())
    .describe('Keys that it sees, with values under 8 bytes: they are neither found nor hidden.'),
  fault: z.string().optional().describe('Why a log of it could not be read.'),
})

const leakTestSchema = z.strictObject({
  id: z.string(),
  stagelet_id: z.string(),
  stagelet: z.string(),
  state: z
    .enum(['waiting', 'running', 'done', 'agent_away', 'agent_too_old', 'failed'])
    .describe('`waiting`: the agent was asked, and has not answered yet.'),
  message: z.string().optional().describe('Why nothing was counted.'),
  tail: z.int().describe('Last lines of each container that were asked for.'),
  lines: z.int().describe('Lines that were read, so far.'),
  complete: z
    .boolean()
    .optional()
    .describe('False: the test ended early, after 60 s or 256 MiB. Present when it is done.'),
  services: z.array(serviceSchema).describe('Empty before it is done.'),
  started_at: timeSchema,
  finished_at: timeSchema.optional(),
})

const path = '/stagelets/:stagelet_id/leak-tests'
const access = { in: 'stagelet', verb: 'get', resource: 'stagelets/logs' } as const

const shown =
  (stagelet: KubeObject) =>
  ({ stageletUid: _uid, agent: _agent, heardAt: _heard, ...test }: PendingLeakTest) => ({
    ...test,
    stagelet: stagelet.metadata.name,
    stageletId: idOf(stagelet),
  })

export const leakTestRoutes = routesOf('Stagelets', [
  route({
    id: 'startLeakTest',
    at: `POST ${path}`,
    summary: 'Count on the machine which secrets the containers have printed. No line leaves it.',
    access,
    body: z.strictObject({
      tail: z
        .int()
        .min(1)
        .max(maxLeakTestLines)
        .default(defaultTail)
        .describe('So many last lines of each container.'),
    }),
    response: {
      status: 202,
      description: 'The agent was asked, or `state` and `message` say why not.',
      schema: leakTestSchema,
    },
    handle: async (context) => {
      const { deps, actor, body } = context
      const stagelet = requireTarget(context)
      const { namespace = '', name, uid = '' } = stagelet.metadata
      const { agentRef } = stageletSpec.parse(stagelet.spec)
      const entry = { action: 'test for leaks', detail: { tail: body.tail } }
      await deps.audit.record(actor, { kind: 'Stagelet', namespace, name }, entry)
      const agent = `${namespace}/${agentRef.name}`
      const test = await deps.leakTests.start({ stageletUid: uid, agent, tail: body.tail })
      return { body: answer(leakTestSchema, shown(stagelet)(test)) }
    },
  }),
  listRoute({
    id: 'listLeakTests',
    at: `GET ${path}`,
    summary: 'The last leak tests of a stagelet, kept for 30 days, the newest first.',
    access,
    description: 'At most 20.',
    list: 'leak_tests',
    item: leakTestSchema,
    read: async (context) => {
      const stagelet = requireTarget(context)
      const tests = await context.deps.leakTests.list(stagelet.metadata.uid ?? '')
      return tests.map(shown(stagelet))
    },
    order: {
      of: 'leak-tests',
      placeOf: ({ startedAt, id }) => [startedAt, id],
      descending: true,
    },
  }),
  route({
    id: 'getLeakTest',
    at: `GET ${path}/:leak_test_id`,
    summary: 'How far a leak test is, and what it has counted.',
    access,
    response: { description: 'The test.', schema: leakTestSchema },
    handle: async (context) => {
      const stagelet = requireTarget(context)
      const id = context.params['leak_test_id'] ?? ''
      const test = await context.deps.leakTests.read(stagelet.metadata.uid ?? '', id)
      if (test === undefined) throw restNotFound('leak test', id)
      return { body: answer(leakTestSchema, shown(stagelet)(test)) }
    },
  }),
])
