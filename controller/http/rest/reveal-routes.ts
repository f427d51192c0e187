// Values for people who may read them. Each one is in the audit before it leaves.
import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { refOf } from '../../../src/resources/meta.ts'
import { visibleTo, type SetEntry } from '../../../src/secrets/visible.ts'
import type { OpenedEntry } from '../../../src/store/store.ts'
import type { RestDeps } from './deps.ts'
import { renderId } from './ids.ts'
import { versionNumber } from './secret-fields.ts'
import { findSecret } from './secrets.ts'
import { requireTarget, route, type RestRoute } from './route.ts'

const tag = 'Values'

export const revealRoutes = (deps: RestDeps): RestRoute[] => [
  revealSecret(deps),
  revealSecrets(deps),
]

const revealedSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    key: z.string(),
    scope: z.string(),
    stagelet: z.string().optional(),
    type: z.enum(['env', 'file']),
    version: z.int(),
    value: z.string().optional().describe('Where it is text.'),
    value_base64: z.string().optional().describe('Where it is not.'),
  })
  .describe('A secret with its value.')

const toRevealed = (entry: OpenedEntry): z.infer<typeof revealedSchema> => ({
  id: renderId('StagelySecret', entry.secretId),
  name: entry.name,
  key: entry.key,
  scope: entry.scope,
  ...(entry.stagelet === undefined ? {} : { stagelet: entry.stagelet }),
  type: entry.type,
  version: entry.version,
  ...(isUtf8(entry.value)
    ? { value: entry.value.toString('utf8') }
    : { value_base64: entry.value.toString('base64') }),
})

const asWritten = z
  .boolean()
  .optional()
  .describe('True: references to other secrets are shown, not what they stand for.')

const revealSecret = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'revealSecret',
    method: 'POST',
    path: '/projects/:project_id/secrets/:secret_id/reveal',
    tag,
    summary: 'Read one value. The audit says who did.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets/value' },
    body: z.strictObject({
      version: versionNumber
        .optional()
        .describe('An older version, as it was written; the current one when absent.'),
      as_written: asWritten,
    }),
    response: { status: 200, description: 'The value.', schema: revealedSchema },
    shownOnce: ['value', 'value_base64'],
    handle: async (context) => {
      const { actor, body, params } = context
      const project = requireTarget(context)
      const secret = await findSecret(store, project, params['secret_id'] ?? '')
      const what = { version: body.version, asWritten: body.as_written }
      const opened = await store.revealSecret(actor, refOf(secret), what)
      return { status: 200, body: toRevealed(opened) }
    },
  })

const revealBody = z.strictObject({
  service: z
    .string()
    .optional()
    .describe('Only what this service sees: for each key the one value that it gets.'),
  scope: z.string().optional().describe('Only secrets of this scope.'),
  stagelet: z
    .string()
    .optional()
    .describe('As in this stagelet; without it, no stagelet’s own secrets are seen by a service.'),
  as_written: asWritten,
  way: z.enum(['export', 'run']).default('export').describe('What the audit says it was for.'),
})

type RevealBody = z.infer<typeof revealBody>

const chooser =
  ({ service, scope, stagelet }: RevealBody) =>
  (entries: readonly SetEntry[]): readonly SetEntry[] => {
    const seen = service === undefined ? entries : visibleTo(service, stagelet ?? '', entries)
    return seen.filter(
      (entry) =>
        (scope === undefined || entry.scope === scope) &&
        (stagelet === undefined || entry.stagelet === undefined || entry.stagelet === stagelet),
    )
  }

const revealSecrets = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'revealSecrets',
    method: 'POST',
    path: '/projects/:project_id/reveal',
    tag,
    summary:
      'Read the values of a project, or what one service sees. The audit names each of them.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets/value' },
    body: revealBody,
    response: {
      status: 200,
      description: 'Sorted by name.',
      schema: z.strictObject({ secrets: z.array(revealedSchema) }),
    },
    shownOnce: ['secrets'],
    handle: async (context) => {
      const { actor, body } = context
      const project = refOf(requireTarget(context))
      const { way, stagelet, as_written: asWritten } = body
      const what = { way, stagelet, asWritten, choose: chooser(body) }
      const opened = await store.revealSet(actor, project, what)
      return { status: 200, body: { secrets: opened.map(toRevealed) } }
    },
  })
