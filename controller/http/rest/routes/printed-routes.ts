// What the containers of a stagelet have printed. The agent counts, for the one who asks; no line of a log comes here, and
// nothing is kept.
import * as z from 'zod'
import { StagelyError } from '../../../../src/kernel/errors.ts'
import { mostCountedLines } from '../../../../src/protocol/printed.ts'
import { stageletSpec } from '../../../../src/kinds/stagelet/schema.ts'
import { whyUnknown } from '../../../where/where.ts'
import { restNotFound } from '../access.ts'
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

const printedSchema = z.strictObject({
  stagelet: z.string(),
  tail: z.int().describe('Last lines of each container that were asked for.'),
  lines: z.int().describe('Lines that were read.'),
  complete: z.boolean().describe('False: the count ended early, after 20 s or 256 MiB.'),
  services: z.array(serviceSchema),
  counted_at: timeSchema,
})

export const printedRoutes = routesOf('Stagelets', [
  route({
    id: 'countPrinted',
    at: 'POST /stagelets/:stagelet_id/printed',
    summary: 'Count on the machine which secrets the containers have printed. No line leaves it.',
    access: { in: 'stagelet', verb: 'get', resource: 'stagelets/logs' },
    body: z.strictObject({
      tail: z
        .int()
        .min(1)
        .max(mostCountedLines)
        .default(defaultTail)
        .describe('So many last lines of each container.'),
    }),
    response: { description: 'The counts.', schema: printedSchema },
    handle: async (context) => {
      const { deps, actor, body, signal } = context
      const stagelet = requireTarget(context)
      const { namespace = '', name, uid = '' } = stagelet.metadata
      const { agentRef } = stageletSpec.parse(stagelet.spec)
      const { tail } = body
      const entry = { action: 'count printed secrets', detail: { tail } }
      await deps.audit.record(actor, { kind: 'Stagelet', namespace, name }, entry)
      const agent = `${namespace}/${agentRef.name}`
      const counted = await deps.tasks.countPrinted(agent, { stageletUid: uid, tail }, signal)
      if (typeof counted !== 'object' || !('services' in counted))
        throw new StagelyError(
          'ServiceUnavailable',
          `agent "${agentRef.name}" has counted nothing: ${whyUnknown(counted)}`,
        )
      // The agent took its time: the stagelet may have left the caller's view.
      if ((await deps.store.getByUid('Stagelet', uid)) === undefined)
        throw restNotFound('stagelet', name)
      const lines = counted.services.reduce((sum, service) => sum + service.lines, 0)
      const printed = { stagelet: name, tail, lines, ...counted, countedAt: deps.clock.now() }
      return { body: answer(printedSchema, printed) }
    },
  }),
])
