// Secrets: create, list, get, update, delete. No answer holds a value.
import * as z from 'zod'
import { defined } from '../../../src/kernel/defined.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { WriteOptions } from '../../../src/store/store.ts'
import { dryRunQuery, triedSchema, triedShape, trySecrets } from './changes.ts'
import { etagOf } from './etag.ts'
import {
  createdSecretSchema,
  fullSecretSchema,
  secretSchema,
  toCreated,
  toFullSecret,
  toSecret,
  toUpdated,
  updatedSecretSchema,
} from './kinds.ts'
import { listPaged, nextCursor, pageQuery } from './paging.ts'
import { deleted, deletedSchema } from './representations.ts'
import { requireTarget, route, routesOf, type RestContext } from './route.ts'
import { secretCreateShape, secretUpdateShape } from './secret-fields.ts'
import {
  createSecret,
  deleteSecret,
  inRequestNames,
  isOfProject,
  secretOf,
  updateSecret,
  warningsOf,
} from './secrets.ts'
import { shownAs } from './target.ts'

const noted = ({ note }: Pick<RestContext, 'note'>): WriteOptions => defined({ note })

const one = '/projects/:project_id/secrets/:secret_id'

export const secretRoutes = routesOf('Secrets', [
  route({
    id: 'createSecret',
    at: 'POST /projects/:project_id/secrets',
    summary: 'Store a secret. Its value is taken and never answered.',
    access: { in: 'project', verb: 'create', resource: 'stagelysecrets' },
    body: z.strictObject(secretCreateShape),
    response: { status: 201, description: 'The new secret.', schema: createdSecretSchema },
    handle: async (context) => {
      const { actor, body, deps } = context
      const project = requireTarget(context)
      const made = await inRequestNames(() =>
        deps.store.write(actor, noted(context), (tx) =>
          createSecret(tx, project, body, deps.clock.now()),
        ),
      )
      const warnings = await warningsOf(deps.store, body, { after: made })
      return { body: toCreated(made), headers: { ...etagOf(made), ...warnings } }
    },
  }),
  route({
    id: 'listSecrets',
    at: 'GET /projects/:project_id/secrets',
    summary: 'The secrets of a project, without values.',
    access: { in: 'project', verb: 'list', resource: 'stagelysecrets' },
    query: z.strictObject({
      key: z.string().optional().describe('Only secrets with this key.'),
      scope: z.string().optional().describe('Only secrets with this scope.'),
      view: z.enum(['basic', 'full']).default('basic').describe('full: with version and status.'),
      ...pageQuery,
    }),
    response: {
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
        selects: (object: KubeObject) =>
          isOfProject(object, project) &&
          (key === undefined || object.spec?.['key'] === key) &&
          (scope === undefined || object.spec?.['scope'] === scope),
      }
      const page = await listPaged(context.deps.store, 'StagelySecret', wanted, context.query)
      const secrets = page.items.map(view === 'full' ? toFullSecret : toSecret)
      return { body: { secrets, ...page.next } }
    },
  }),
  route({
    id: 'getSecret',
    at: `GET ${one}`,
    summary: 'One secret with its version and status, without its value.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets' },
    response: { description: 'The secret.', schema: fullSecretSchema },
    handle: async (context) => shownAs(await secretOf(context), toFullSecret),
  }),
  route({
    id: 'updateSecret',
    at: `PATCH ${one}`,
    summary: 'Change value, scope or place. The services that see it get the new one.',
    access: { in: 'project', verb: 'patch', resource: 'stagelysecrets' },
    heedsIfMatch: true,
    query: z.strictObject(dryRunQuery),
    body: z.strictObject(secretUpdateShape),
    response: { description: 'The secret.', schema: updatedSecretSchema.extend(triedShape) },
    handle: async (context) => {
      const { actor, body, ifMatch, deps } = context
      const secret = await secretOf(context)
      const change = { input: body, ifMatch, nowMs: deps.clock.now() }
      if (context.query.dry_run) {
        const tried = await inRequestNames(() =>
          trySecrets(context, (tx) => updateSecret(tx, secret, change)),
        )
        const warnings = await warningsOf(deps.store, body, { after: tried.result, before: secret })
        return { body: { ...toUpdated(tried.result), ...tried.told }, headers: warnings }
      }
      const updated = await inRequestNames(() =>
        deps.store.write(actor, noted(context), (tx) => updateSecret(tx, secret, change)),
      )
      const warnings = await warningsOf(deps.store, body, { after: updated, before: secret })
      return { body: toUpdated(updated), headers: { ...etagOf(updated), ...warnings } }
    },
  }),
  route({
    id: 'deleteSecret',
    at: `DELETE ${one}`,
    summary: 'Delete a secret. The services that saw it run without it.',
    access: { in: 'project', verb: 'delete', resource: 'stagelysecrets' },
    heedsIfMatch: true,
    query: z.strictObject(dryRunQuery),
    response: { description: 'It is gone.', schema: z.union([deletedSchema, triedSchema]) },
    handle: async (context) => {
      const secret = await secretOf(context)
      const { actor, deps, ifMatch } = context
      if (context.query.dry_run) {
        const { told } = await trySecrets(context, (tx) => deleteSecret(tx, secret, ifMatch))
        return { body: { status: 'dry_run', ...told } }
      }
      await deps.store.write(actor, noted(context), (tx) => deleteSecret(tx, secret, ifMatch))
      return deleted
    },
  }),
])
