// The public key with which people seal values for manifests.
import * as z from 'zod'
import { isInTeam } from '../../../../src/access/principal.ts'
import { route, routesOf } from '../route.ts'
import { answer } from '../shapes.ts'

const keySchema = z.strictObject({
  id: z.string().describe('Stands in what is sealed with it.'),
  public_key: z.string().describe('One line of text, for a file: `stagely-sealing-key:…`.'),
})

const keyOfNamespace = keySchema.extend({
  namespace_uid: z.string().optional().describe('Absent where you have no such namespace.'),
})

const namespace = z
  .string()
  .max(63)
  .optional()
  .describe('A team of yours: the answer has its uid, which values for it are bound to.')

export const sealingRoutes = routesOf('Sealing', [
  route({
    id: 'getSealingKey',
    at: 'GET /sealing-key',
    summary: 'The key to seal with.',
    access: { in: 'self' },
    query: z.strictObject({ namespace }),
    response: { description: 'Not a secret.', schema: keyOfNamespace },
    handle: async ({ deps: { sealing, store }, principal, query: { namespace: name } }) => {
      await sealing.refresh()
      const home =
        name === undefined || !isInTeam(principal, name)
          ? undefined
          : await store.get({ kind: 'Namespace', namespace: '', name })
      const namespaceUid = home?.metadata.uid
      return { body: answer(keyOfNamespace, { ...sealing.current, namespaceUid }) }
    },
  }),
  route({
    id: 'rotateSealingKey',
    at: 'POST /sealing-key/rotate',
    summary: 'Make a new key to seal with. What old ones sealed keeps opening.',
    access: { in: 'admin' },
    session: 'confirmed',
    response: { description: 'The new key.', schema: keySchema },
    handle: async ({ deps, actor }) => ({
      body: answer(keySchema, await deps.sealing.rotate(actor)),
    }),
  }),
])
