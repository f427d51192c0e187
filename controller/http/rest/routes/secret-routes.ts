// Secrets: create, list, get, update, delete. No answer holds a value.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import type { KubeObject } from '../../../../src/resources/meta.ts'
import { duration, durationMs } from '../../../../src/resources/duration.ts'
import { dueOf } from '../../../../src/kinds/secret/expiry-status.ts'
import { ofKind, specOf } from '../../../../src/kinds/typed.ts'
import type { WriteOptions } from '../../../../src/store/store.ts'
import { dryRunQuery, triedSchema, triedShape, trySecrets } from '../changes.ts'
import { etagOf } from '../etag.ts'
import {
  createdSecretSchema,
  fullSecretSchema,
  compactSecretSchema,
  secretSchema,
  secretState,
  secretStates,
  toCompactSecret,
  toCreated,
  toFullSecret,
  toSecret,
  toUpdated,
  updatedSecretSchema,
} from '../secret-kind.ts'
import { listPaged, pageOf, pageQuery } from '../paging.ts'
import { deleted, deletedSchema } from '../representations.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'
import { secretCreateShape, secretUpdateShape } from '../secret-fields.ts'
import {
  createSecret,
  deleteSecret,
  inRequestNames,
  secretOf,
  updateSecret,
  warningsOf,
} from '../secrets.ts'
import { shownAs } from '../target.ts'

const noted = ({ note }: Pick<RestContext, 'note'>): WriteOptions => defined({ note })

const listQuery = z.strictObject({
  key: z.string().max(limits.name).optional().describe('Only secrets with this key.'),
  scope: z.string().max(limits.name).optional().describe('Only secrets with this scope.'),
  stagelet: z
    .string()
    .max(limits.name)
    .optional()
    .describe('Only secrets of just this stagelet; empty: only those of the whole project.'),
  environment: z
    .string()
    .max(limits.name)
    .optional()
    .describe('Only secrets that name this environment.'),
  type: z.enum(['env', 'file']).optional().describe('Only secrets of this type.'),
  state: z.enum(secretStates).optional().describe('Only secrets in this state.'),
  q: z
    .string()
    .max(300)
    .optional()
    .describe('Only secrets whose key or name contains this, in upper or lower case.'),
  due_within: duration
    .optional()
    .describe(
      'Only secrets whose value ends, or is too old for the policy of the project, within this time from now, such as 30d; also those that are past it.',
    ),
  view: z
    .enum(['basic', 'compact', 'full'])
    .default('basic')
    .describe('compact: with version, author and state; full: with status and conditions.'),
  ...pageQuery,
})

const views = { basic: toSecret, compact: toCompactSecret, full: toFullSecret } as const

const isDueBy = (object: KubeObject, by: number): boolean => {
  const due = dueOf(object.status ?? {})
  return due !== undefined && Date.parse(due.at) <= by
}

const isChosen = (object: KubeObject, query: z.infer<typeof listQuery>, nowMs: number): boolean => {
  const { key, scope, type, stageletRef, environments } = specOf('StagelySecret', object)
  const { q, state, due_within: within } = query
  const is = (wanted: string | undefined, value: string | undefined): boolean =>
    wanted === undefined || wanted === value
  const isFound = (text: string): boolean => text.toLowerCase().includes((q ?? '').toLowerCase())
  return (
    is(query.key, key) &&
    is(query.scope, scope) &&
    is(query.type, type) &&
    is(query.stagelet, stageletRef?.name ?? (environments === undefined ? '' : undefined)) &&
    (query.environment === undefined || environments?.includes(query.environment) === true) &&
    (within === undefined || isDueBy(object, nowMs + durationMs(within))) &&
    (q === undefined || isFound(key) || isFound(object.metadata.name)) &&
    (state === undefined || secretState(ofKind('StagelySecret', object)) === state)
  )
}

const pathOfSecret = '/projects/:project_id/secrets/:secret_id'

export const secretRoutes = routesOf('Secrets', [
  route({
    id: 'createSecret',
    at: 'POST /projects/:project_id/secrets',
    summary: 'Store a secret. Its value is taken and never answered.',
    access: { in: 'project', verb: 'create', resource: 'stagelysecrets', placed: true },
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
    access: { in: 'project', verb: 'list', resource: 'stagelysecrets', placed: true },
    query: listQuery,
    response: {
      description: 'One page of secrets.',
      schema: pageOf(
        'secrets',
        z.union([secretSchema, compactSecretSchema, fullSecretSchema]),
      ).extend({
        resource_version: z
          .string()
          .optional()
          .describe(
            'The moment that the list shows: a stream goes on from there. Not of the basic view.',
          ),
      }),
    },
    handle: async (context) => {
      const project = requireTarget(context)
      const { query, deps } = context
      const nowMs = deps.clock.now()
      const wanted = {
        project,
        selects: (object: KubeObject) => isChosen(object, query, nowMs),
      }
      const page = await listPaged(deps.store, 'StagelySecret', wanted, query)
      const secrets = page.items.map(views[query.view])
      // The basic view is what it was from the beginning.
      const at = query.view === 'basic' ? {} : { resource_version: String(page.at) }
      return { body: { secrets, ...at, ...page.next } }
    },
  }),
  route({
    id: 'getSecret',
    at: `GET ${pathOfSecret}`,
    summary: 'One secret with its version and status, without its value.',
    access: { in: 'project', verb: 'get', resource: 'stagelysecrets', placed: true },
    response: { description: 'The secret.', schema: fullSecretSchema },
    handle: async (context) => shownAs(await secretOf(context), toFullSecret),
  }),
  route({
    id: 'updateSecret',
    at: `PATCH ${pathOfSecret}`,
    summary: 'Change value, scope or place. The services that see it get the new one.',
    access: { in: 'project', verb: 'patch', resource: 'stagelysecrets', placed: true },
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
        return { body: { ...toUpdated(tried.result), ...tried.outcome }, headers: warnings }
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
    at: `DELETE ${pathOfSecret}`,
    summary: 'Delete a secret. The services that saw it run without it.',
    access: { in: 'project', verb: 'delete', resource: 'stagelysecrets', placed: true },
    heedsIfMatch: true,
    query: z.strictObject(dryRunQuery),
    response: { description: 'It is gone.', schema: z.union([deletedSchema, triedSchema]) },
    handle: async (context) => {
      const secret = await secretOf(context)
      const { actor, deps, ifMatch } = context
      if (context.query.dry_run) {
        const { outcome } = await trySecrets(context, (tx) => deleteSecret(tx, secret, ifMatch))
        return { body: { status: 'dry_run', ...outcome } }
      }
      await deps.store.write(actor, noted(context), (tx) => deleteSecret(tx, secret, ifMatch))
      return deleted
    },
  }),
])
