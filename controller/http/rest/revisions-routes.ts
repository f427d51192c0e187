// The past of a whole project: its revisions, what differs between them, and going back.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { refOf } from '../../../src/resources/meta.ts'
import { diffSets, type NamedEntry, type SetDiff } from '../../../src/store/history/set-diff.ts'
import type { WriteOptions } from '../../../src/store/store.ts'
import type { RestDeps } from './deps.ts'
import { renderId } from './ids.ts'
import { nextCursor, pagedBy, pageQuery } from './paging.ts'
import { time } from './representations.ts'
import { requireTarget, route, type RestRoute } from './route.ts'

const tag = 'History'

/** One change set, closed at once: it is rolled out as a whole. */
export const wholeChange = (dryRun = false): WriteOptions => ({
  dryRun,
  changeSet: { id: randomUUID(), last: true },
})

const dryRun = z.boolean().default(false).describe('Say what would change, and change nothing.')

export const revisionsRoutes = (deps: RestDeps): RestRoute[] => [
  listRevisions(deps),
  diffRevisions(deps),
  rollbackProject(deps),
]

const newestFirst = {
  of: 'revisions',
  placeOf: ({ revision }: { readonly revision: number }) => [revision],
  descending: true,
} as const

const listRevisions = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'listRevisions',
    method: 'GET',
    path: '/projects/:project_id/revisions',
    tag,
    summary: 'The revisions of a project that are kept, newest first.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets' },
    query: z.strictObject(pageQuery),
    response: {
      status: 200,
      description: 'What each one changed, by keys, and who wrote it.',
      schema: z.strictObject({
        revisions: z.array(
          z.strictObject({
            revision: z.int(),
            closed_at: time,
            written: z.int().describe('Secrets that got a new version.'),
            deleted: z.int(),
            keys: z.array(z.string()).describe('Of those: the first 20 by name.'),
            by: z.array(z.string()),
          }),
        ),
        next_cursor: nextCursor,
      }),
    },
    handle: async (context) => {
      const revisions = await store.listRevisions(requireTarget(context).metadata.uid ?? '')
      const { items, next } = pagedBy(revisions, newestFirst, context.query)
      const body = items.map(({ closedAt, ...more }) => ({ ...more, closed_at: closedAt }))
      return { status: 200, body: { revisions: body, ...next } }
    },
  })

const named = z.strictObject({
  id: z.string(),
  name: z.string(),
  key: z.string(),
  scope: z.string(),
  stagelet: z.string().optional(),
})

const diffShape = {
  added: z.array(named),
  removed: z.array(named),
  changed: z.array(
    named.extend({
      what: z.array(z.enum(['value', 'scope', 'type', 'stagelet', 'file'])),
      from_version: z.int(),
      to_version: z.int(),
    }),
  ),
}

const toDiff = ({ added, removed, changed }: SetDiff): object => {
  const toNamed = ({ secretId, ...entry }: NamedEntry): object => ({
    id: renderId('StagelySecret', secretId),
    ...entry,
  })
  return {
    added: added.map(toNamed),
    removed: removed.map(toNamed),
    changed: changed.map(({ fromVersion, toVersion, ...entry }) => ({
      ...toNamed(entry),
      from_version: fromVersion,
      to_version: toVersion,
    })),
  }
}

const revisionText = z.string().regex(/^(head|\d{1,15})$/, 'must be a revision, or head')
const revisionOf = (text: string): number | 'head' => (text === 'head' ? 'head' : Number(text))

const diffRevisions = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'diffRevisions',
    method: 'GET',
    path: '/projects/:project_id/revisions/diff',
    tag,
    summary: 'What differs between two revisions, by names.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets' },
    query: z.strictObject({
      from: revisionText.describe('Older revision; 0 is the empty set.'),
      to: revisionText.default('head').describe('Newer one; head is what is stored now.'),
    }),
    response: { status: 200, description: 'Never values.', schema: z.strictObject(diffShape) },
    handle: async (context) => {
      const uid = requireTarget(context).metadata.uid ?? ''
      const from = await store.readSet(uid, revisionOf(context.query.from))
      const to = await store.readSet(uid, revisionOf(context.query.to))
      return { status: 200, body: toDiff(diffSets(from.entries, to.entries)) }
    },
  })

const rollbackFields = {
  dry_run: dryRun,
  expected_set: z
    .string()
    .max(100)
    .optional()
    .describe(
      '`set` of a dry run: 409 when a secret was changed since, so that nothing goes back unseen.',
    ),
}

const rollbackProject = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'rollbackProject',
    method: 'POST',
    path: '/projects/:project_id/rollback',
    tag,
    summary: 'Make all secrets of a project what they were, as one change set.',
    access: { in: 'project', verb: 'update', resource: 'stagelysecrets' },
    body: z.union([
      z.strictObject({
        revision: z
          .union([z.int().min(0), z.literal('previous')])
          .describe('Its number; previous: what was before the newest change.'),
        ...rollbackFields,
      }),
      z.strictObject({
        at: z.iso.datetime({ offset: true }).describe('The revision that was newest then.'),
        ...rollbackFields,
      }),
    ]),
    response: {
      status: 200,
      description: 'The revision that it went back to, and what changed by that.',
      schema: z.strictObject({
        revision: z.int(),
        set: z.string().describe('Names the secrets and versions that were stored before.'),
        ...diffShape,
      }),
    },
    handle: async (context) => {
      const { actor, body } = context
      const project = refOf(requireTarget(context))
      const where = 'revision' in body ? { revision: body.revision } : { at: Date.parse(body.at) }
      const choice = { ...where, expectedSet: body.expected_set }
      const { diff, ...done } = await store.write(actor, wholeChange(body.dry_run), (tx) =>
        tx.rollbackProject(project, choice),
      )
      return { status: 200, body: { ...done, ...toDiff(diff) } }
    },
  })
