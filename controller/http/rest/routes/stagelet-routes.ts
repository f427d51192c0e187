// Stagelets: what runs where, and its state.
import { projectNameOf } from '../../../../src/resources/project-ref.ts'
import * as z from 'zod'
import { lifetime } from '../../../../src/resources/duration.ts'
import { limits } from '../../../../src/resources/limits.ts'
import { annotations, refOf } from '../../../../src/resources/meta.ts'
import { actionRoute } from '../action-route.ts'
import { impactOfDeploy } from '../../../impact/impact.ts'
import { readStagelet } from '../../../impact/situation.ts'
import { dryRunQuery, impactSchema, toImpact } from '../changes.ts'
import { requireMatch } from '../etag.ts'
import { createRoute, readRoutes, updateRoute, type RestKind } from './kind-routes.ts'
import { stageletFields, stageletSchema, toStagelet } from '../kinds.ts'
import {
  requireTarget,
  routesOf,
  type RestAnswer,
  type RestContext,
  type RestRoute,
} from '../route.ts'
import { shownAs } from '../target.ts'

/** Pending edits are those that the agent has reported. */
const tryDeploy = async (context: RestContext): Promise<RestAnswer> => {
  const { store } = context.deps
  const stagelet = requireTarget(context)
  requireMatch(stagelet, context.ifMatch)
  const { namespace, name } = refOf(stagelet)
  const report = await store.get({ kind: 'Observation', namespace, name })
  const isOwn = report?.spec.stageletUid === stagelet.metadata.uid
  const edited = isOwn ? (report?.spec.pendingEdits ?? []) : []
  const impact = impactOfDeploy(await readStagelet(store, stagelet), edited)
  return { status: 200, body: { ...toStagelet(stagelet), impact: toImpact(impact) } }
}

const stagelets: RestKind = { kind: 'Stagelet', schema: stageletSchema, fields: stageletFields }

const extendBody = z
  .strictObject({
    for: lifetime.optional().describe('How long it lives from now on; its ttl when absent.'),
  })
  .optional()

export const stageletRoutes: readonly RestRoute[] = routesOf('Stagelets', [
  ...readRoutes(stagelets, {
    summaries: [
      'Stagelets of all your teams, with their status.',
      'One stagelet with the status of each service.',
    ],
    query: {
      project: z.string().max(limits.name).optional().describe('Only of the project of this name.'),
    },
    selects: (stagelet, { project }) =>
      project === undefined || projectNameOf(stagelet) === project,
  }),
  createRoute(stagelets, {
    summary: 'Declare a stack on a machine: its agent starts it with the secrets of its project.',
    session: 'confirmed',
  }),
  updateRoute(stagelets, {
    summary: 'Pause a stagelet, go on with it, or change its stack. `null` takes a field away.',
    part: { resource: 'stagelets/pause', fields: ['paused'] },
  }),
  actionRoute({
    id: 'deployStagelet',
    at: 'POST /stagelets/:stagelet_id/deploy',
    summary: 'Deploy by hand: roll out pending edits of the compose file.',
    access: { in: 'stagelet', verb: 'create', resource: 'stagelets/deploy' },
    heedsIfMatch: true,
    query: z.strictObject(dryRunQuery),
    response: {
      description: 'The agent was told; last_rollout shows how it goes.',
      schema: stageletSchema,
      dryRun: {
        description: 'Nothing was told. What it would do.',
        schema: stageletSchema.extend({ impact: impactSchema }),
      },
    },
    annotation: annotations.redeploy,
    dryRun: (context) => (context.query.dry_run ? tryDeploy(context) : undefined),
    show: (stagelet) => shownAs(stagelet, toStagelet),
  }),
  actionRoute<unknown, z.infer<typeof extendBody>>({
    id: 'extendStagelet',
    at: 'POST /stagelets/:stagelet_id/extend',
    summary: 'Put the end of a stagelet off. It never comes nearer.',
    access: { in: 'stagelet', verb: 'create', resource: 'stagelets/deploy' },
    heedsIfMatch: true,
    body: extendBody,
    response: {
      description: 'The stagelet, with its new end in ends_at.',
      schema: stageletSchema,
    },
    annotation: annotations.extend,
    detailsOf: (body) => (body?.for === undefined ? [] : [body.for]),
    show: (stagelet) => shownAs(stagelet, toStagelet),
  }),
])
