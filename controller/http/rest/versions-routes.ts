// The past of one secret: versions, rollback, restore, erasure.
import { z } from 'zod'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { SecretStatus } from '../../../src/resources/stagelysecret.ts'
import type { DeletedSecret } from '../../../src/store/store.ts'
import { notFound } from './access.ts'
import type { RestDeps } from './deps.ts'
import { etagOf } from './etag.ts'
import { idOf, parseId, renderId } from './ids.ts'
import { nextCursor, pagedBy, pageQuery } from './paging.ts'
import { expectedVersion, versionNumber } from './secret-fields.ts'
import { findSecret } from './secrets.ts'
import { time } from './representations.ts'
import { wholeChange } from './revisions-routes.ts'
import { requireTarget, route, type RestRoute } from './route.ts'

const tag = 'History'
const secretPath = '/projects/:project_id/secrets/:secret_id'

export const versionsRoutes = (deps: RestDeps): RestRoute[] => [
  listVersions(deps),
  rollbackSecret(deps),
  restoreSecret(deps),
  purgeSecret(deps),
  listDeleted(deps),
]

const versionSchema = z
  .strictObject({
    version: z.int(),
    current: z.boolean(),
    scope: z.string(),
    stagelet: z.string().optional(),
    type: z.enum(['env', 'file']),
    bytes: z.int().describe('Length of the value.'),
    from_revision: z.int().describe('First revision of the project that holds it.'),
    to_revision: z.int().optional().describe('First one that does not hold it any more.'),
    created_at: time,
    created_by: z.string(),
    same_as: z.int().optional().describe('The newest older version with the same value.'),
  })
  .describe('One version of a secret. Never its value.')

const newestVersionFirst = {
  of: 'versions',
  placeOf: ({ version }: { readonly version: number }) => [version],
  descending: true,
} as const

const listVersions = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'listSecretVersions',
    method: 'GET',
    path: `${secretPath}/versions`,
    tag,
    summary: 'The versions of a secret that are kept, newest first.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets' },
    query: z.strictObject(pageQuery),
    response: {
      status: 200,
      description: 'Who wrote what when, without values.',
      schema: z.strictObject({ versions: z.array(versionSchema), next_cursor: nextCursor }),
    },
    handle: async (context) => {
      const given = context.params['secret_id'] ?? ''
      const secret = await findSecret(store, requireTarget(context), given)
      const versions = await store.versionsOf(secret.metadata.uid ?? '')
      const { items, next } = pagedBy(versions, newestVersionFirst, context.query)
      const body = items.map((v) => ({
        version: v.version,
        current: v.current,
        scope: v.scope,
        ...(v.stagelet === undefined ? {} : { stagelet: v.stagelet }),
        type: v.type,
        bytes: v.bytes,
        from_revision: v.fromRevision,
        ...(v.toRevision === undefined ? {} : { to_revision: v.toRevision }),
        created_at: v.createdAt,
        created_by: v.createdBy,
        ...(v.sameAs === undefined ? {} : { same_as: v.sameAs }),
      }))
      return { status: 200, body: { versions: body, ...next } }
    },
  })

const storedSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  key: z.string(),
  scope: z.string(),
  version: z.int().describe('Version that is stored now.'),
})

const toStored = (object: KubeObject): z.infer<typeof storedSchema> => {
  const spec = object.spec as { key: string; scope: string }
  const { version = 0 } = (object.status ?? {}) as SecretStatus
  const { key, scope } = spec
  return { id: idOf(object), name: object.metadata.name, key, scope, version }
}

const rollbackSecret = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'rollbackSecret',
    method: 'POST',
    path: `${secretPath}/rollback`,
    tag,
    summary: 'Put the value of an old version back, as the newest version.',
    access: { in: 'project', verb: 'update', resource: 'stagelysecrets' },
    body: z.strictObject({
      version: versionNumber.describe('Version whose value comes back. Scope and place stay.'),
      expected_version: expectedVersion,
    }),
    response: { status: 200, description: 'The secret as it is now.', schema: storedSchema },
    handle: async (context) => {
      const { actor, body, params } = context
      const project = requireTarget(context)
      const secret = await findSecret(store, project, params['secret_id'] ?? '')
      const after = await store.write(actor, wholeChange(), async (tx) => {
        const { version, expected_version: expected } = body
        if (expected !== undefined) await tx.expectVersion(refOf(secret), expected)
        return tx.rollbackSecret(refOf(secret), version)
      })
      return { status: 200, body: toStored(after), headers: etagOf(after) }
    },
  })

const deletedShape = z.strictObject({
  id: z.string(),
  name: z.string(),
  key: z.string(),
  scope: z.string(),
  stagelet: z.string().optional(),
  deleted_at: time,
  deleted_by: z.string(),
  restorable_until: time,
})

const toDeleted = (d: DeletedSecret): z.infer<typeof deletedShape> => ({
  id: renderId('StagelySecret', d.secretId),
  name: d.name,
  key: d.key,
  scope: d.scope,
  ...(d.stagelet === undefined ? {} : { stagelet: d.stagelet }),
  deleted_at: d.deletedAt,
  deleted_by: d.deletedBy,
  restorable_until: d.restorableUntil,
})

const newestFirst = {
  of: 'deleted-secrets',
  placeOf: ({ deletedAt, secretId }: DeletedSecret) => [deletedAt, secretId],
  descending: true,
} as const

const listDeleted = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'listDeletedSecrets',
    method: 'GET',
    path: '/projects/:project_id/deleted-secrets',
    tag,
    summary: 'Deleted secrets that can still be restored.',
    access: { in: 'project', verb: 'list', resource: 'stagelysecrets' },
    query: z.strictObject(pageQuery),
    response: {
      status: 200,
      description: 'Newest first.',
      schema: z.strictObject({
        secrets: z.array(deletedShape),
        kept_seconds: z.number().describe('How long a deleted secret can be restored.'),
        next_cursor: nextCursor,
      }),
    },
    handle: async (context) => {
      const deleted = await store.deletedSecrets(requireTarget(context).metadata.uid ?? '')
      const { items, next } = pagedBy(deleted, newestFirst, context.query)
      const kept_seconds = store.deletedMs / 1000
      return { status: 200, body: { secrets: items.map(toDeleted), kept_seconds, ...next } }
    },
  })

/** The uid of a secret that may be deleted: by id, or by the name that it last had. */
const uidOf = async ({ store }: RestDeps, project: KubeObject, given: string): Promise<string> => {
  const uid = parseId('StagelySecret', given)
  if (uid !== undefined) return uid
  const deleted = await store.deletedSecrets(project.metadata.uid ?? '')
  const found = deleted.find((d) => d.name === given)
  if (found === undefined) throw notFound('deleted secret', given)
  return found.secretId
}

const restoreSecret = (deps: RestDeps): RestRoute =>
  route({
    id: 'restoreSecret',
    method: 'POST',
    path: `${secretPath}/restore`,
    tag,
    summary: 'Bring a deleted secret back under its old id, with its last value.',
    access: { in: 'project', verb: 'create', resource: 'stagelysecrets' },
    response: { status: 200, description: 'The secret as it is now.', schema: storedSchema },
    handle: async (context) => {
      const project = requireTarget(context)
      const uid = await uidOf(deps, project, context.params['secret_id'] ?? '')
      const after = await deps.store.write(context.actor, wholeChange(), (tx) =>
        tx.restoreSecret(refOf(project), uid),
      )
      return { status: 200, body: toStored(after), headers: etagOf(after) }
    },
  })

const purgeSecret = (deps: RestDeps): RestRoute =>
  route({
    id: 'purgeSecret',
    method: 'POST',
    path: `${secretPath}/purge`,
    tag,
    summary: 'Erase a secret, living or deleted, with all its versions. Nothing brings it back.',
    access: { in: 'project', verb: 'delete', resource: 'stagelysecrets/purge' },
    response: {
      status: 200,
      description: 'What was erased. The audit keeps the fact.',
      schema: z.strictObject({
        status: z.literal('purged'),
        name: z.string(),
        versions: z.int().describe('How many versions are gone.'),
      }),
    },
    handle: async (context) => {
      const project = requireTarget(context)
      const given = context.params['secret_id'] ?? ''
      const uid = await findSecret(deps.store, project, given).then(
        (secret) => secret.metadata.uid ?? '',
        () => uidOf(deps, project, given),
      )
      const erased = await deps.store.write(context.actor, wholeChange(), (tx) =>
        tx.purgeSecret(refOf(project), uid),
      )
      return { status: 200, body: { status: 'purged', ...erased } }
    },
  })
