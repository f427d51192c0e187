// Notifiers: whom the controller tells what happened.
import * as z from 'zod'
import { apiVersion, refOf } from '../../../src/resources/meta.ts'
import { notifierSpec, notifierStatus } from '../../../src/resources/notifier.ts'
import { fieldsOf, withFields } from '../../../src/resources/rest-fields.ts'
import { objectName } from '../../../src/resources/status.ts'
import { requireIn } from './access.ts'
import { objectShape, ofEveryStatus } from './kinds.ts'
import { readRoutes } from './lists.ts'
import { deletedSchema } from './representations.ts'
import { requireTarget, route, routesOf } from './route.ts'
import { inRequestNames } from './secrets.ts'
import { answerOf, answerShape, createShape, updateShape } from './shapes.ts'
import { changeTarget, deleteTarget, shownAs } from './target.ts'
import { createTracked } from './writes.ts'

const notifierFields = fieldsOf(notifierSpec, {})

const notifierSchema = z
  .strictObject(
    objectShape('ntf', {
      ...answerShape(notifierFields, ['spec']),
      ...answerShape(fieldsOf(notifierStatus, ofEveryStatus), ['status']),
    }),
  )
  .describe('Tells people what happened.')
const toNotifier = answerOf(notifierSchema)

const place = z.strictObject({
  team: z.string().min(1).default('default').describe('The team that it belongs to.'),
  name: objectName.describe('Name of the notifier, unique in its team.'),
})
const createBody = place.extend(createShape(notifierFields)) as unknown as z.ZodType<
  z.infer<typeof place>
>

export const notifierRoutes = routesOf('Notifiers', [
  ...readRoutes({
    kind: 'Notifier',
    schema: notifierSchema,
    summaries: ['Notifiers of all your teams.', 'One notifier.'],
    page: 'One page of notifiers.',
  }),
  route({
    id: 'createNotifier',
    at: 'POST /notifiers',
    summary: 'Let somebody be told what happens in one of your teams.',
    access: { in: 'teams', verb: 'create', resource: 'notifiers' },
    session: 'confirmed',
    body: createBody,
    response: { status: 201, description: 'The new notifier.', schema: notifierSchema },
    handle: async ({ deps: { store, clock }, principal, actor, body }) => {
      requireIn(principal, { verb: 'create', resource: 'notifiers' }, body.team)
      const { name, team, ...fields } = body
      const spec = withFields(notifierFields, {}, fields)
      const object = { apiVersion, kind: 'Notifier', metadata: { name, namespace: team }, spec }
      const made = await inRequestNames(() =>
        store.write(actor, {}, (tx) => createTracked(tx, object, clock.now())),
      )
      return shownAs(made, toNotifier)
    },
  }),
  route({
    id: 'updateNotifier',
    at: 'PATCH /notifiers/:notifier_id',
    summary: 'Change what is given. `null` takes a field away.',
    access: { in: 'notifier', verb: 'patch', resource: 'notifiers' },
    session: 'confirmed',
    heedsIfMatch: true,
    body: z.strictObject(updateShape(notifierFields)),
    response: { description: 'The notifier as it is now.', schema: notifierSchema },
    handle: async (context) => {
      const updated = await inRequestNames(() =>
        changeTarget(context, (before) => ({
          ...before,
          spec: withFields(notifierFields, before.spec ?? {}, context.body),
        })),
      )
      return shownAs(updated, toNotifier)
    },
  }),
  route({
    id: 'deleteNotifier',
    at: 'DELETE /notifiers/:notifier_id',
    summary: 'Tell nobody any more. What was not delivered yet is dropped.',
    access: { in: 'notifier', verb: 'delete', resource: 'notifiers' },
    session: 'confirmed',
    heedsIfMatch: true,
    response: { description: 'It is gone.', schema: deletedSchema },
    handle: deleteTarget(),
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
