// Secrets: create, list, get, update, delete. No answer holds a value.
import { z } from 'zod'
import type { RestDeps } from './deps.ts'
import { etagOf } from './etag.ts'
import { listPaged, nextCursor, pageQuery } from './paging.ts'
import { deleted, deletedSchema } from './representations.ts'
import { requireTarget, route, type RestRoute } from './route.ts'
import { createShape, updateShape } from './secret-fields.ts'
import {
  createdSecretSchema,
  createSecret,
  deleteSecret,
  findSecret,
  fullSecretSchema,
  inRequestNames,
  isOfProject,
  secretSchema,
  toCreated,
  toFullSecret,
  toSecret,
  toUpdated,
  updatedSecretSchema,
  updateSecret,
  warningsOf,
} from './secrets.ts'

const tag = 'Secrets'
const collection = '/projects/:project_id/secrets'
const one = `${collection}/:secret_id`

export const secretRoutes = (deps: RestDeps): RestRoute[] => [
  createRoute(deps),
  listRoute(deps),
  getRoute(deps),
  updateRoute(deps),
  deleteRoute(deps),
]

const createRoute = ({ store, clock }: RestDeps): RestRoute =>
  route({
    id: 'createSecret',
    method: 'POST',
    path: collection,
    tag,
    summary: 'Store a secret. Its value is taken and never answered.',
    access: { in: 'project', verb: 'create', resource: 'stagelysecrets' },
    body: z.strictObject(createShape),
    response: { status: 201, description: 'The new secret.', schema: createdSecretSchema },
    handle: async (context) => {
      const { actor, body } = context
      const project = requireTarget(context)
      const made = await inRequestNames(() =>
        store.write(actor, {}, (tx) => createSecret(tx, project, body, clock.now())),
      )
      const warnings = await warningsOf(store, body, { after: made })
      return { status: 201, body: toCreated(made), headers: { ...etagOf(made), ...warnings } }
    },
  })

const listQuery = z.strictObject({
  key: z.string().optional().describe('Only secrets with this key.'),
  scope: z.string().optional().describe('Only secrets with this scope.'),
  view: z.enum(['basic', 'full']).default('basic').describe('full: with version and status.'),
  ...pageQuery,
})

const listRoute = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'listSecrets',
    method: 'GET',
    path: collection,
    tag,
    summary: 'The secrets of a project, without values.',
    access: { in: 'project', verb: 'list', resource: 'stagelysecrets' },
    query: listQuery,
    response: {
      status: 200,
      description: 'One page of secrets.',
      schema: z.strictObject({
        secrets: z.array(z.union([secretSchema, fullSecretSchema])),
        next_cursor: nextCursor,
      }),
    },
    handle: async (context) => {
      const project = requireTarget(context)
      const { key, scope, view } = context.query
      const wanted = {
        namespaces: [project.metadata.namespace ?? ''],
        selects: (object: typeof project) =>
          isOfProject(object, project) &&
          (key === undefined || object.spec?.['key'] === key) &&
          (scope === undefined || object.spec?.['scope'] === scope),
      }
      const page = await listPaged(store, 'StagelySecret', wanted, context.query)
      const secrets = page.items.map(view === 'full' ? toFullSecret : toSecret)
      return { status: 200, body: { secrets, ...page.next } }
    },
  })

const getRoute = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'getSecret',
    method: 'GET',
    path: one,
    tag,
    summary: 'One secret with its version and status, without its value.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets' },
    response: { status: 200, description: 'The secret.', schema: fullSecretSchema },
    handle: async (context) => {
      const { secret_id: id = '' } = context.params
      const secret = await findSecret(store, requireTarget(context), id)
      return { status: 200, body: toFullSecret(secret), headers: etagOf(secret) }
    },
  })

const updateRoute = ({ store, clock }: RestDeps): RestRoute =>
  route({
    id: 'updateSecret',
    method: 'PATCH',
    path: one,
    tag,
    summary: 'Change value, scope or place. The services that see it get the new one.',
    access: { in: 'project', verb: 'patch', resource: 'stagelysecrets' },
    heedsIfMatch: true,
    body: z.strictObject(updateShape),
    response: { status: 200, description: 'The secret.', schema: updatedSecretSchema },
    handle: async (context) => {
      const { actor, body, ifMatch, params } = context
      const secret = await findSecret(store, requireTarget(context), params['secret_id'] ?? '')
      const change = { input: body, ifMatch, nowMs: clock.now() }
      const updated = await inRequestNames(() =>
        store.write(actor, {}, (tx) => updateSecret(tx, secret, change)),
      )
      const warnings = await warningsOf(store, body, { after: updated, before: secret })
      const headers = { ...etagOf(updated), ...warnings }
      return { status: 200, body: toUpdated(updated), headers }
    },
  })

const deleteRoute = ({ store }: RestDeps): RestRoute =>
  route({
    id: 'deleteSecret',
    method: 'DELETE',
    path: one,
    tag,
    summary: 'Delete a secret. The services that saw it run without it.',
    access: { in: 'project', verb: 'delete', resource: 'stagelysecrets' },
    heedsIfMatch: true,
    response: { status: 200, description: 'It is gone.', schema: deletedSchema },
    handle: async (context) => {
      const { actor, ifMatch, params } = context
      const secret = await findSecret(store, requireTarget(context), params['secret_id'] ?? '')
      await store.write(actor, {}, (tx) => deleteSecret(tx, secret, ifMatch))
      return deleted
    },
  })
