// Notifiers: whom the controller tells what happened.
import * as z from 'zod'
import { refOf } from '../../../../src/resources/meta.ts'
import { notifierSpec, notifierStatus } from '../../../../src/kinds/notifier/schema.ts'
import { fieldsOf } from '../../../../src/resources/schemas/rest-fields.ts'
import { createRoute, deleteRoute, readRoutes, updateRoute, type RestKind } from './kind-routes.ts'
import { objectShape, ofEveryStatus } from '../kinds.ts'
import { requireTarget, route, routesOf } from '../route.ts'
import { answerOf, answerShape } from '../shapes.ts'

const notifierFields = fieldsOf(notifierSpec, {})

const notifierSchema = z
  .strictObject(
    objectShape('Notifier', {
      ...answerShape(notifierFields, ['spec']),
      ...answerShape(fieldsOf(notifierStatus, ofEveryStatus), ['status']),
    }),
  )
  .describe('Tells people what happened.')
export const toNotifier = answerOf(notifierSchema)

const notifiers: RestKind = { kind: 'Notifier', schema: notifierSchema, fields: notifierFields }

export const notifierRoutes = routesOf('Notifiers', [
  ...readRoutes(notifiers, { summaries: ['Notifiers of all your teams.', 'One notifier.'] }),
  createRoute(notifiers, {
    summary: 'Let somebody be told what happens in one of your teams.',
    session: 'confirmed',
  }),
  updateRoute(notifiers, { session: 'confirmed' }),
  deleteRoute(notifiers, {
    summary: 'Tell nobody any more. What was not delivered yet is dropped.',
    session: 'confirmed',
  }),
  route({
    id: 'testNotifier',
    at: 'POST /notifiers/:notifier_id/test',
    summary: 'Send one test message now. It changes nothing, and is tried once.',
    access: { in: 'notifier', verb: 'update', resource: 'notifiers' },
    response: {
      description: 'Whether it was delivered, and what the receiver answered.',
      schema: z.strictObject({
        delivered: z.boolean(),
        answer: z
          .string()
          .describe('What the receiver answered, or why it could not. Never a secret address.'),
      }),
    },
    handle: async (context) => {
      const { deps, actor, signal } = context
      const notifier = requireTarget(context)
      await deps.audit.record(actor, refOf(notifier), { action: 'test' })
      const { ok: delivered, answer } = await deps.testNotifier(notifier, actor.name, signal)
      return { body: { delivered, answer } }
    },
  }),
])
