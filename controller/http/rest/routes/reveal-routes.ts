// Reveals values to people with the right, or with a grant: the store judges which. Each one is audited before it is sent.
import { isUtf8 } from 'node:buffer'
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { refOf, type KubeObject } from '../../../../src/resources/meta.ts'
import { environmentName } from '../../../../src/kinds/shared/environment.ts'
import { environmentSet, type LaidOut } from '../../../../src/secrets/environment-set.ts'
import { emptyLayout } from '../../../../src/secrets/layout.ts'
import { reaches, shownAudience, type Viewer } from '../../../../src/secrets/place.ts'
import { type ProjectEntry } from '../../../../src/secrets/set-entry.ts'
import { visibleTo } from '../../../../src/secrets/visible.ts'
import type { OpenedEntry } from '../../../../src/store/store.ts'
import { environmentsOf, namesOf } from '../../../../src/secrets/project-environments.ts'
import { withHint } from '../../../../src/search/near-name.ts'
import { invalidInput } from '../input.ts'
import { namedSecret } from '../secret-kind.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'
import { versionNumber } from '../secret-fields.ts'
import { secretOf } from '../secrets.ts'
import { answerOf } from '../shapes.ts'
import { rightsOf } from '../../../../src/store/core/actor.ts'

const revealedSchema = namedSecret
  .extend({
    type: z.enum(['env', 'file']),
    version: z.int(),
    value: z.string().optional().describe('Where it is text.'),
    value_base64: z.string().optional().describe('Where it is not.'),
  })
  .describe('A secret with its value.')

const toRevealed = ({
  value,
  stagelet,
  environments,
  ...entry
}: OpenedEntry): z.infer<typeof revealedSchema> =>
  answerOf(revealedSchema)({
    ...entry,
    ...shownAudience(defined({ stagelet, environments })),
    ...(isUtf8(value)
      ? { value: value.toString('utf8') }
      : { valueBase64: value.toString('base64') }),
  })

const asWritten = z
  .boolean()
  .optional()
  .describe('True: references to other secrets are shown, not what they stand for.')

const revealBody = z.strictObject({
  service: z
    .string()
    .max(limits.name)
    .optional()
    .describe('Only what this service sees: for each key the one value that it gets.'),
  scope: z.string().max(limits.name).optional().describe('Only secrets of this scope.'),
  stagelet: z
    .string()
    .max(limits.name)
    .optional()
    .describe('As in this stagelet; without it, no stagelet’s own secrets are seen by a service.'),
  environment: environmentName
    .optional()
    .describe(
      'As in a stagelet of this environment without secrets of its own. Not with stagelet.',
    ),
  as_written: asWritten,
  way: z.enum(['export', 'run']).default('export').describe('What the audit says it was for.'),
})

/** 422 with the list: a mistyped name would show what another environment sees. */
const requireEnvironment = (
  { actor }: Pick<RestContext, 'actor'>,
  project: KubeObject,
  name: string,
): void => {
  const inView = rightsOf(actor).narrowingIn(refOf(project).namespace)?.environments
  const listed = namesOf(environmentsOf(project)).filter((one) => inView?.includes(one) ?? true)
  if (listed.includes(name)) return
  const message = `Unsupported value: environments of this project: ${withHint(name, listed) || 'none'}`
  throw invalidInput([{ field: 'environment', reason: 'FieldValueNotSupported', message }])
}

/** A stagelet is in its environment already. */
const viewerOf = ({
  stagelet,
  environment,
}: {
  readonly stagelet?: string | undefined
  readonly environment?: string | undefined
}): Viewer => stagelet ?? (environment === undefined ? undefined : { environment })

const chooser =
  ({ service, scope, stagelet, environment }: z.infer<typeof revealBody>) =>
  (set: LaidOut): readonly ProjectEntry[] => {
    const viewer = viewerOf({ stagelet, environment })
    const seen =
      service === undefined
        ? set.entries
        : visibleTo(service, stagelet ?? '', environmentSet(set, viewer))
    const { layout = emptyLayout } = set
    return seen.filter(
      (entry) =>
        (scope === undefined || entry.scope === scope) &&
        (service !== undefined || viewer === undefined || reaches(entry, viewer, layout)),
    )
  }

export const revealRoutes = routesOf('Values', [
  route({
    id: 'revealSecret',
    at: 'POST /projects/:project_id/secrets/:secret_id/reveal',
    summary: 'Read one value. The audit says who did.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets/granted', placed: true },
    session: 'reveal',
    body: z.strictObject({
      version: versionNumber
        .optional()
        .describe('An older version, as it was written; the current one when absent.'),
      as_written: asWritten,
    }),
    response: { description: 'The value.', schema: revealedSchema },
    shownOnce: ['value', 'value_base64'],
    handle: async (context) => {
      const { actor, body, deps } = context
      const secret = await secretOf(context)
      const what = { version: body.version, asWritten: body.as_written }
      return { body: toRevealed(await deps.store.revealSecret(actor, refOf(secret), what)) }
    },
  }),
  route({
    id: 'revealSecrets',
    at: 'POST /projects/:project_id/reveal',
    summary:
      'Read the values of a project, or what one service sees. The audit names each of them.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets/granted', placed: true },
    session: 'refused',
    body: revealBody,
    response: {
      description: 'Sorted by name.',
      schema: z.strictObject({
        secrets: z
          .array(revealedSchema)
          .optional()
          .describe('Absent in the answer to a repeated request.'),
      }),
    },
    shownOnce: ['secrets'],
    handle: async (context) => {
      const { actor, body, deps } = context
      const { way, as_written, environment } = body
      const project = requireTarget(context)
      if (environment !== undefined) requireEnvironment(context, project, environment)
      const what = {
        way,
        viewer: viewerOf(body),
        asWritten: as_written,
        choose: chooser(body),
      }
      const opened = await deps.store.revealSet(actor, refOf(project), what)
      return { body: { secrets: opened.map(toRevealed) } }
    },
  }),
])
