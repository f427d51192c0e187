// The public key that people seal values for manifests with.
import { z } from 'zod'
import type { RestDeps } from './deps.ts'
import { route, type RestRoute } from './route.ts'

const tag = 'Sealing'

const keySchema = z.strictObject({
  id: z.string().describe('Stands in what is sealed with it.'),
  public_key: z.string().describe('One line of text, for a file: `stagely-sealing-key:…`.'),
})

export const sealingRoutes = ({ sealing }: RestDeps): RestRoute[] => [
  route({
    id: 'getSealingKey',
    method: 'GET',
    path: '/sealing-key',
    tag,
    summary: 'The key to seal with.',
    access: { in: 'self' },
    response: { status: 200, description: 'Not a secret.', schema: keySchema },
    handle: async () => {
      await sealing.refresh()
      const { id, publicKey } = sealing.current
      return { status: 200, body: { id, public_key: publicKey } }
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
