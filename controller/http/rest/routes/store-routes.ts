// SecretStores: stores of secrets elsewhere, which the controller reads from.
import * as z from 'zod'
import { annotations } from '../../../../src/resources/meta.ts'
import { fieldsOf, hidden } from '../../../../src/resources/schemas/rest-fields.ts'
import { secretStoreSpec, secretStoreStatus } from '../../../../src/kinds/secret-store/schema.ts'
import { actionRoute, type RequestAnnotation } from '../action-route.ts'
import { createRoute, deleteRoute, readRoutes, updateRoute, type RestKind } from './kind-routes.ts'
import { objectShape, ofEveryStatus } from '../kinds.ts'
import { requireTarget, route, routesOf, type RouteEntry } from '../route.ts'
import { answerOf, answerShape } from '../shapes.ts'

const storeFields = fieldsOf(secretStoreSpec, {})

const storeSchema = z
  .strictObject(
    objectShape('SecretStore', {
      ...answerShape(storeFields, ['spec']),
      ...answerShape(
        fieldsOf(secretStoreStatus, {
          ...ofEveryStatus,
          credential: hidden,
          secrets: { absent: 0 },
        }),
        ['status'],
      ),
    }),
  )
  .describe('A store of secrets elsewhere, which the controller reads from.')
export const toStore = answerOf(storeSchema)

const stores: RestKind = { kind: 'SecretStore', schema: storeSchema, fields: storeFields }

const refreshBody = z.strictObject({
  keys: z
    .array(z.string().min(1).max(1024))
    .max(100)
    .optional()
    .describe('Keys of the store that are asked at once, whatever its list says.'),
})

const storeAction = (
  verb: 'refresh' | 'check' | 'resume',
  annotation: RequestAnnotation,
  summary: string,
): RouteEntry =>
  actionRoute<unknown, z.infer<typeof refreshBody> | undefined>({
    id: `${verb}Store`,
    at: `POST /stores/:store_id/${verb}`,
    summary,
    access: { in: 'store', verb: 'update', resource: 'secretstores' },
    ...(verb === 'refresh' && { body: refreshBody }),
    response: {
      description: `The store; \`answered.${verb}\` becomes the text of \`asked\` when it is done.`,
      schema: z.strictObject({ asked: z.string(), store: storeSchema }),
    },
    annotation,
    detailsOf: (body) => body?.keys ?? [],
    show: (store) => ({
      body: { asked: store.metadata.annotations?.[annotation], store: toStore(store) },
    }),
  })

export const storeRoutes = routesOf('Stores', [
  ...readRoutes(stores, { summaries: ['Stores of all your teams.', 'One store.'] }),
  createRoute(stores, {
    summary: 'Let secrets of one of your teams take their values from a store elsewhere.',
    session: 'confirmed',
  }),
  updateRoute(stores, { session: 'confirmed' }),
  deleteRoute(stores, {
    summary: 'Read from it no more. Secrets keep the values that were fetched.',
    session: 'confirmed',
  }),
  route({
    id: 'findStoreKeys',
    at: 'GET /stores/:store_id/keys',
    summary: 'Names of secrets in the store that it allows, for an import. Asks the store.',
    access: { in: 'store', verb: 'create', resource: 'stagelysecrets' },
    query: z.strictObject({
      prefix: z.string().max(1024).optional().describe('Only keys that begin with this.'),
    }),
    response: {
      description: 'The names, and whether there are more.',
      schema: z.strictObject({ keys: z.array(z.string()), is_cut: z.boolean() }),
    },
    handle: async (context) => {
      const { deps, query, actor, signal } = context
      const asked = { prefix: query.prefix ?? '', actor }
      const { keys, isCut } = await deps.listKeys(requireTarget(context), asked, signal)
      return { body: { keys: [...keys], is_cut: isCut } }
    },
  }),
  storeAction('refresh', annotations.refresh, 'Read the store now.'),
  storeAction(
    'check',
    annotations.check,
    'Ask the store whether it takes the credential, also after it did not.',
  ),
  storeAction(
    'resume',
    annotations.resumeStore,
    'Let what is missing be removed, although it is much at once.',
  ),
])
