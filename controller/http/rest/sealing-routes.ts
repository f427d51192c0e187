// The public key that people seal values for manifests with.
import { z } from 'zod'
import { isInTeam } from '../../../src/access/principal.ts'
import type { RestDeps } from './deps.ts'
import { route, type RestRoute } from './route.ts'

const tag = 'Sealing'

const keySchema = z.strictObject({
  id: z.string().describe('Stands in what is sealed with it.'),
  public_key: z.string().describe('One line of text, for a file: `stagely-sealing-key:…`.'),
})

const namespaceQuery = z.strictObject({
  namespace: z
    .string()
    .max(63)
    .optional()
    .describe('A team of yours: the answer has its uid, which values for it are bound to.'),
})

const keyOfNamespace = keySchema.extend({
  namespace_uid: z.string().optional().describe('Absent where you have no such namespace.'),
})

export const sealingRoutes = ({ sealing, store }: RestDeps): RestRoute[] => [
  route({
    id: 'getSealingKey',
    method: 'GET',
    path: '/sealing-key',
    tag,
    summary: 'The key to seal with.',
    access: { in: 'self' },
    query: namespaceQuery,
    response: { status: 200, description: 'Not a secret.', schema: keyOfNamespace },
    handle: async ({ principal, query: { namespace: name } }) => {
      await sealing.refresh()
      const { id, publicKey } = sealing.current
      const home =
        name === undefined || !isInTeam(principal, name)
          ? undefined
          : await store.get({ kind: 'Namespace', namespace: '', name })
      const uid = home?.metadata.uid
      const body = {
        id,
        public_key: publicKey,
        ...(uid === undefined ? {} : { namespace_uid: uid }),
      }
      return { status: 200, body }
    },
  }),
  route({
    id: 'rotateSealingKey',
    method: 'POST',
    path: '/sealing-key/rotate',
    tag,
    summary: 'Make a new key to seal with. What old ones sealed keeps opening.',
    access: { in: 'admin' },
    response: { status: 200, description: 'The new key.', schema: keySchema },
    handle: async ({ actor }) => {
      const { id, publicKey } = await sealing.rotate(actor)
      return { status: 200, body: { id, public_key: publicKey } }
    },
  }),
]
