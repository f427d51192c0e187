// The history of a project: its revisions, the differences between them, and the rollback to one.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import {
  oneRevisionSchema,
  revisionSchema,
  signedReceipt,
} from '../../../../src/audit/receipt-schema.ts'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import { refOf } from '../../../../src/resources/meta.ts'
import { audiences } from '../../../../src/kinds/secret/schema.ts'
import type { ProjectEntry } from '../../../../src/secrets/set-entry.ts'
import { shownVersionId } from '../../../../src/store/core/history.ts'
import { diffSets, type SetDiff } from '../../../../src/store/core/set-diff.ts'
import { changeFields, changeSecrets, impactSchema, wholeChange } from '../changes.ts'
import { restNotFound } from '../access.ts'
import { namedSecret } from '../secret-kind.ts'
import { valuesField } from '../secret-fields.ts'
import { stateAt, type StageletWithStatus } from '../revision-state.ts'
import { listRoute } from '../lists.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'
import { answerOf } from '../shapes.ts'

const toRevision = answerOf(oneRevisionSchema)

const readRevision = async ({
  deps,
  params,
  target,
}: RestContext): Promise<z.infer<typeof oneRevisionSchema>> => {
  const project = requireTarget({ target })
  const found = (await deps.store.listRevisions(project.metadata.uid ?? '')).find(
    ({ revision }) => String(revision) === params['revision'],
  )
  if (found === undefined) throw restNotFound('revision', params['revision'] ?? '')
  const { namespace, name } = refOf(project)
  const { items } = await deps.store.list('Stagelet', { namespace, project: name })
  const stagelets = items.map((stagelet) => stateAt(stagelet as StageletWithStatus, found.revision))
  return toRevision({ ...found, stagelets })
}

const shownValue = z.string().optional().describe('With `values`, where it is plain.')
const valueBefore = z.string().optional().describe('The older one, with `values`, if plain.')

const diffShape = {
  added: z.array(namedSecret.extend({ value: shownValue })),
  removed: z.array(namedSecret.extend({ from_value: valueBefore })),
  changed: z.array(
    namedSecret.extend({
      what: z.array(
        z.enum([
          ...[
            'value',
            'scope',
            'type',
            'stagelet',
            'environments',
            'audience',
            'visibility',
            'file',
          ],
        ] as const),
      ),
      from_version: z.int(),
      to_version: z.int(),
      from_scope: z.string().optional().describe('Where the scope changed.'),
      from_stagelet: z
        .string()
        .nullable()
        .optional()
        .describe('Where the stagelet changed; null: it was of the whole project.'),
      from_environments: z
        .array(z.string())
        .nullable()
        .optional()
        .describe('Where the environments changed; null: it was for none in particular.'),
      from_audience: z.enum(audiences).optional().describe('Where the audience changed.'),
      from_type: z.enum(['env', 'file']).optional().describe('Where the type changed.'),
      from_value: valueBefore,
      value: shownValue,
    }),
  ),
}
const diffSchema = z.strictObject(diffShape)
const toDiff: (diff: SetDiff) => z.infer<typeof diffSchema> = answerOf(diffSchema)

const revisionText = z.string().regex(/^(head|\d{1,15})$/, 'must be a revision, or head')
const revisionOf = (text: string): number | 'head' => (text === 'head' ? 'head' : Number(text))

const rollbackBody = z.union([
  z.strictObject({
    revision: z
      .union([z.int().min(0), z.literal('previous')])
      .describe('Its number; previous: what was before the newest change.'),
    ...changeFields,
  }),
  z.strictObject({
    at: z.iso
      .datetime({ offset: true })
      .max(limits.time)
      .describe('The revision that was newest then.'),
    ...changeFields,
  }),
])

export const revisionsRoutes = routesOf('History', [
  listRoute({
    id: 'listRevisions',
    at: 'GET /projects/:project_id/revisions',
    summary: 'The revisions of a project that are kept, newest first.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets', placed: true },
    description: 'What each one changed, by keys, and who wrote it.',
    item: revisionSchema,
    read: (context) => context.deps.store.listRevisions(requireTarget(context).metadata.uid ?? ''),
    order: { of: 'revisions', placeOf: ({ revision }) => [revision], descending: true },
  }),
  route({
    id: 'diffRevisions',
    at: 'GET /projects/:project_id/revisions/diff',
    summary: 'What differs between two revisions, by names.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets', placed: true },
    query: z.strictObject({
      from: revisionText.describe('Older revision; 0 is the empty set.'),
      to: revisionText.default('head').describe('Newer one; head is what is stored now.'),
      values: valuesField,
    }),
    changes: () => 50,
    response: { description: 'Never a masked value.', schema: diffSchema },
    handle: async (context) => {
      const { store } = context.deps
      const uid = requireTarget(context).metadata.uid ?? ''
      const from = await store.readSet(uid, revisionOf(context.query.from))
      const to = await store.readSet(uid, revisionOf(context.query.to))
      const others = (some: readonly ProjectEntry[], all: readonly ProjectEntry[]) => {
        const ids = new Set(all.map(shownVersionId))
        return some.filter((entry) => entry.plain === true && !ids.has(shownVersionId(entry)))
      }
      const plain = [...others(to.entries, from.entries), ...others(from.entries, to.entries)]
      const values = await store.plainValues(uid, context.query.values === 'true' ? plain : [])
      const diff = diffSets(from.entries, to.entries, (entry) => values.get(shownVersionId(entry)))
      return { body: toDiff(diff) }
    },
  }),
  route({
    id: 'getRevision',
    at: 'GET /projects/:project_id/revisions/:revision',
    summary: 'One revision: who made it, why, and which stagelets run it.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets', placed: true },
    response: { description: 'As agents have reported it last.', schema: oneRevisionSchema },
    handle: async (context) => ({ body: await readRevision(context) }),
  }),
  route({
    id: 'getRevisionReceipt',
    at: 'GET /projects/:project_id/revisions/:revision/receipt',
    summary: 'The same as a receipt that the key of the audit log has signed.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets' },
    response: { description: 'To be kept; it proves who said what when.', schema: signedReceipt },
    handle: async (context) => {
      const { namespace: team, name: project } = refOf(requireTarget(context))
      const issued_at = toTimestamp(context.deps.clock.now())
      const receipt = { team, project, issued_at, ...(await readRevision(context)) }
      const { document, ...signed } = await context.deps.audit.signReport('receipt', receipt)
      return { body: { receipt: document, ...signed } }
    },
  }),
  route({
    id: 'rollbackProject',
    at: 'POST /projects/:project_id/rollback',
    summary: 'Make all secrets of a project what they were, as one change set.',
    access: { in: 'project', verb: 'update', resource: 'stagelysecrets' },
    body: rollbackBody,
    // Of as many secrets as the project has.
    changes: () => 250,
    response: {
      description: 'The revision that it went back to, and what changed by that.',
      schema: z.strictObject({
        revision: z.int(),
        set: z.string().describe('Names the secrets and versions that were stored before.'),
        kept: z
          .array(z.string())
          .describe(
            'Names of secrets that stay as they are, since a Rotation or a store gives their values.',
          ),
        impact: impactSchema,
        ...diffShape,
      }),
    },
    handle: async (context) => {
      const { body } = context
      const project = requireTarget(context)
      const choice = 'revision' in body ? { revision: body.revision } : { at: Date.parse(body.at) }
      const { result, outcome } = await changeSecrets(context, project, wholeChange(body), (tx) =>
        tx.rollbackProject(refOf(project), choice),
      )
      const { diff, ...done } = result
      const { set, impact } = outcome
      return { body: { ...done, set, impact, ...toDiff(diff) } }
    },
  }),
])
