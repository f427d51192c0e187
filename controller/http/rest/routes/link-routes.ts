// Which secrets hang together: what one refers to, and which others follow it.
import * as z from 'zod'
import type { SecretLink } from '../../../../src/store/objects/secret-links.ts'
import { route, routesOf } from '../route.ts'
import { namedSecret } from '../secret-kind.ts'
import { secretOf } from '../secrets.ts'
import { answerOf, computed } from '../shapes.ts'

const shownPlaces = 20

const linkedSecret = namedSecret.extend({
  only_in: computed(
    z
      .array(
        z.strictObject({ environment: z.string().optional(), stagelet: z.string().optional() }),
      )
      .optional()
      .describe(
        `The environments, and stagelets with secrets of their own, for which it holds: ${shownPlaces} at most, and an empty one for stagelets in no environment. Absent: wherever the secret is seen that refers to the other.`,
      ),
    ({ only }: SecretLink) =>
      only
        ?.slice(0, shownPlaces)
        .map((viewer) => (typeof viewer === 'string' ? { stagelet: viewer } : { ...viewer })),
  ),
})

const linksSchema = z.strictObject({
  refers_to: z.array(linkedSecret).describe('The secrets to which its references lead.'),
  followers: z
    .array(linkedSecret)
    .describe('Secrets whose values change with it: they refer to it, or take its value.'),
  followed_elsewhere: z
    .boolean()
    .describe('Others follow it too, where the login does not see them.'),
})
const toLinks = answerOf(linksSchema)

export const linkRoutes = routesOf('Secrets', [
  route({
    id: 'secretLinks',
    at: 'GET /projects/:project_id/secrets/:secret_id/links',
    summary: 'What a secret refers to, and which secrets follow it, by environment.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets', placed: true },
    response: { description: 'Names, and never a value.', schema: linksSchema },
    handle: async (context) => {
      const links = await context.deps.store.linksOf(context.actor, await secretOf(context))
      return { body: toLinks(links) }
    },
  }),
])
