// The history of one secret: versions, rollback, restore, erasure.
import * as z from 'zod'
import { refOf, type KubeObject } from '../../../../src/resources/meta.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { visibilities } from '../../../../src/kinds/secret/schema.ts'
import { shownVersionId } from '../../../../src/store/core/history.ts'
import type { DeletedSecret } from '../../../../src/store/store.ts'
import { restNotFound } from '../access.ts'
import { etagOf } from '../etag.ts'
import type { RestDeps } from '../deps.ts'
import { parseId } from '../ids.ts'
import { namedSecret, ofAudience, storedSecretSchema, toStoredSecret } from '../secret-kind.ts'
import { listRoute } from '../lists.ts'
import { pageOf, pagedBy, pageQuery } from '../paging.ts'
import { timeSchema } from '../representations.ts'
import {
  changeFields,
  changeSecrets,
  changeShape,
  dryRunQuery,
  triedSchema,
  wholeChange,
  type Changed,
} from '../changes.ts'
import { requireTarget, route, routesOf, type RestAnswer } from '../route.ts'
import { expectedVersion, valuesField, versionNumber } from '../secret-fields.ts'
import { findSecret, secretOf } from '../secrets.ts'
import { answerOf } from '../shapes.ts'

const secretPath = '/projects/:project_id/secrets/:secret_id'

const versionSchema = z
  .strictObject({
    version: z.int(),
    current: z.boolean(),
    scope: z.string(),
    stagelet: z.string().optional(),
    environments: z.array(z.string()).optional(),
    audience: ofAudience,
    type: z.enum(['env', 'file']),
    visibility: z.enum(visibilities).describe('Who could read it.'),
    value: z
      .string()
      .optional()
      .describe('With `values`, where it is plain and the secret has not been masked since.'),
    bytes: z.int().describe('Length of the value.'),
    from_revision: z.int().describe('First revision of the project that holds it.'),
    to_revision: z.int().optional().describe('First one that does not hold it any more.'),
    created_at: timeSchema,
    created_by: z.string(),
    same_as: z.int().optional().describe('The newest older version with the same value.'),
    revoked_at: timeSchema
      .optional()
      .describe('When a Rotation ended the credential: nothing accepts it any more.'),
    refused_at: timeSchema
      .optional()
      .describe('When a Rotation measured that the credential is refused.'),
  })
  .describe('One version of a secret. Never a masked value.')

const erasedShape = {
  name: z.string(),
  versions: z.int().describe('How many versions are gone.'),
}

const changedSecretSchema = storedSecretSchema.extend(changeShape)

const shownChanged = ({ result, outcome }: Changed<KubeObject>, isDry: boolean): RestAnswer => ({
  body: { ...toStoredSecret(result), ...outcome },
  headers: isDry ? {} : etagOf(result),
})

const deletedSchema = namedSecret.extend({
  deleted_at: timeSchema,
  deleted_by: z.string(),
  restorable_until: timeSchema,
})

const newestFirst = {
  of: 'deleted-secrets',
  placeOf: ({ deletedAt, secretId }: DeletedSecret) => [deletedAt, secretId],
  descending: true,
} as const

/** The uid of a secret that may be deleted: found by id, or by the last name. */
const uidOf = async (
  { store }: Pick<RestDeps, 'store'>,
  project: KubeObject,
  given: string,
): Promise<string> => {
  const uid = parseId('StagelySecret', given)
  if (uid !== undefined) return uid
  const deleted = await store.deletedSecrets(project.metadata.uid ?? '')
  const found = deleted.find((d) => d.name === given)
  if (found === undefined) throw restNotFound('deleted secret', given)
  return found.secretId
}

export const versionsRoutes = routesOf('History', [
  listRoute({
    id: 'listSecretVersions',
    at: `GET ${secretPath}/versions`,
    summary: 'The versions of a secret that are kept, newest first.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets', placed: true },
    description: 'Who wrote what when, without masked values.',
    query: { values: valuesField },
    item: versionSchema,
    read: async (context) => {
      const { store } = context.deps
      const secretId = (await secretOf(context)).metadata.uid ?? ''
      const versions = await store.versionsOf(secretId)
      const plain = versions.flatMap(({ version, visibility }) =>
        context.query.values === 'true' && visibility === 'Plain' ? [{ secretId, version }] : [],
      )
      const values = await store.plainValues(requireTarget(context).metadata.uid ?? '', plain)
      return versions.map((shown) => ({
        ...shown,
        ...defined({ value: values.get(shownVersionId({ secretId, version: shown.version })) }),
      }))
    },
    order: { of: 'versions', placeOf: ({ version }) => [version], descending: true },
  }),
  route({
    id: 'rollbackSecret',
    at: `POST ${secretPath}/rollback`,
    summary: 'Put the value of an old version back, as the newest version.',
    access: { in: 'project', verb: 'update', resource: 'stagelysecrets', placed: true },
    body: z.strictObject({
      version: versionNumber.describe('Version whose value comes back. Scope and place stay.'),
      expected_version: expectedVersion,
      ...changeFields,
    }),
    response: { description: 'The secret as it is now.', schema: changedSecretSchema },
    handle: async (context) => {
      const { body } = context
      const secret = await secretOf(context)
      const change = wholeChange(body)
      const done = await changeSecrets(context, requireTarget(context), change, async (tx) => {
        const { version, expected_version: expected } = body
        if (expected !== undefined) await tx.expectVersion(refOf(secret), expected)
        return tx.rollbackSecret(refOf(secret), version)
      })
      return shownChanged(done, body.dry_run)
    },
  }),
  route({
    id: 'restoreSecret',
    at: `POST ${secretPath}/restore`,
    summary: 'Bring a deleted secret back under its old id, with its last value.',
    access: { in: 'project', verb: 'create', resource: 'stagelysecrets', placed: true },
    query: z.strictObject(dryRunQuery),
    response: { description: 'The secret as it is now.', schema: changedSecretSchema },
    handle: async (context) => {
      const { deps, params, query } = context
      const project = requireTarget(context)
      const uid = await uidOf(deps, project, params['secret_id'] ?? '')
      const done = await changeSecrets(context, project, wholeChange(query), (tx) =>
        tx.restoreSecret(refOf(project), uid),
      )
      return shownChanged(done, query.dry_run)
    },
  }),
  route({
    id: 'purgeSecret',
    at: `POST ${secretPath}/purge`,
    summary: 'Erase a secret, living or deleted, with all its versions. Nothing brings it back.',
    access: { in: 'project', verb: 'delete', resource: 'stagelysecrets/purge' },
    session: (query) => (query.dry_run ? undefined : 'confirmed'),
    query: z.strictObject(dryRunQuery),
    response: {
      description: 'What was erased. The audit keeps the fact.',
      schema: z.union([
        z.strictObject({ status: z.literal('purged'), ...erasedShape, ...changeShape }),
        triedSchema.extend(erasedShape),
      ]),
    },
    handle: async (context) => {
      const { deps, params, query } = context
      const project = requireTarget(context)
      const given = params['secret_id'] ?? ''
      const uid = await findSecret(deps.store, project, given).then(
        (secret) => secret.metadata.uid ?? '',
        () => uidOf(deps, project, given),
      )
      const { result, outcome } = await changeSecrets(context, project, wholeChange(query), (tx) =>
        tx.purgeSecret(refOf(project), uid),
      )
      return { body: { status: query.dry_run ? 'dry_run' : 'purged', ...result, ...outcome } }
    },
  }),
  route({
    id: 'listDeletedSecrets',
    at: 'GET /projects/:project_id/deleted-secrets',
    summary: 'Deleted secrets that can still be restored.',
    access: { in: 'project', verb: 'list', resource: 'stagelysecrets', placed: true },
    query: z.strictObject(pageQuery),
    response: {
      description: 'Newest first.',
      schema: pageOf('secrets', deletedSchema).extend({
        kept_seconds: z.number().describe('How long a deleted secret can be restored.'),
      }),
    },
    handle: async (context) => {
      const { store } = context.deps
      const deleted = await store.deletedSecrets(requireTarget(context).metadata.uid ?? '')
      const { items, next } = pagedBy(deleted, newestFirst, context.query)
      const secrets = items.map(answerOf(deletedSchema))
      return { body: { secrets, kept_seconds: store.deletedMs / 1000, ...next } }
    },
  }),
])
