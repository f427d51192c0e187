// Requests for access: who asks, and who decides.
import * as z from 'zod'
import { teamsWhere } from '../../../../src/access/principal.ts'
import { limits } from '../../../../src/resources/limits.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { accessStates } from '../../../../src/kinds/access-request/schema.ts'
import { apiVersion, refOf, type KubeObject } from '../../../../src/resources/meta.ts'
import { withRestFields } from '../../../../src/resources/schemas/rest-fields.ts'
import { projectNameOf } from '../../../../src/resources/project-ref.ts'
import { specOf, statusOf } from '../../../../src/kinds/typed.ts'
import type { GivenDecision } from '../../../../src/store/objects/access-decisions.ts'
import type { Resource, Verb } from '../../../../src/access/roles.ts'
import { accessRequestSchema, requestFields, toAccessRequest } from '../access-request-shapes.ts'
import { requireIn } from '../access.ts'
import { inNamesOf } from '../input.ts'
import { isVisible, ownRequests, visible, waitsFor } from './access-view-routes.ts'
import { pagedBy, pageOf, pageQuery, type Order } from '../paging.ts'
import { requireTarget, route, routesOf, type RestContext, type RouteEntry } from '../route.ts'
import { createShape } from '../shapes.ts'
import { shownAs } from '../target.ts'

const newestFirst: Order<KubeObject> = {
  of: 'requests',
  placeOf: ({ metadata }) => [metadata.creationTimestamp ?? '', metadata.name],
  descending: true,
}

const listQuery = {
  team: z.string().max(limits.name).optional().describe('Only of this team.'),
  project: z.string().max(limits.name).optional().describe('Only for this project.'),
  state: z.enum(accessStates).optional().describe('Only in this state.'),
  emergency: z.enum(['true', 'false']).optional().describe('Only emergencies, or none of them.'),
  to_decide: z
    .enum(['true'])
    .optional()
    .describe('true: only what waits for your approval, or for your review.'),
}
type ListQuery = z.infer<z.ZodObject<typeof listQuery & typeof pageQuery>>

const selects = ({ project, state, emergency }: ListQuery, request: KubeObject): boolean =>
  (project === undefined || projectNameOf(request) === project) &&
  (state === undefined || statusOf('AccessRequest', request).state === state) &&
  (emergency === undefined ||
    String(specOf('AccessRequest', request).emergency === true) === emergency)

const listOwn = async (context: RestContext<ListQuery>): Promise<KubeObject[]> => {
  const { principal, query, deps } = context
  if (query.team !== undefined) requireIn(principal, ownRequests, query.team)
  const within =
    query.team === undefined
      ? teamsWhere(principal, ownRequests.verb, ownRequests.resource)
      : [query.team]
  const { items } = await deps.store.list('AccessRequest', within === undefined ? {} : { within })
  const shown: KubeObject[] = []
  for (const item of items)
    if (selects(query, item) && (await isVisible(context, item)))
      if (query.to_decide === undefined || (await waitsFor(context, item))) shown.push(item)
  return shown
}

const noteField = z.string().max(1_000).optional().describe('Why, for the requester and auditors.')

interface DecisionRoute<Body> {
  readonly id: string
  readonly path: string
  readonly summary: string
  readonly right: { readonly verb: Verb; readonly resource: Resource }
  readonly session?: 'confirmed'
  readonly body: z.ZodType<Body>
  readonly decision: (body: Body) => GivenDecision
}

const decisionRoute = <Body>({
  id,
  path,
  summary,
  right,
  session,
  body,
  decision,
}: DecisionRoute<Body>): RouteEntry =>
  route<unknown, Body>({
    id,
    at: `PUT /access-requests/:request_id/${path}`,
    summary,
    access: { in: 'request', ...right },
    ...defined({ session }),
    body,
    response: { description: 'The request as it is now.', schema: accessRequestSchema },
    handle: async (context) => {
      const request = await visible(context)
      const given = decision(context.body)
      const decided = await context.deps.store.write(context.actor, {}, (tx) =>
        tx.decideAccess(refOf(request), given),
      )
      return shownAs(decided, toAccessRequest)
    },
  })

const approving = { verb: 'update', resource: 'accessrequests/approval' } as const
const noted = z.strictObject({ note: noteField })

const decisionRoutes = [
  decisionRoute({
    id: 'approveAccess',
    path: 'approval',
    summary: 'Approve a request of another person. To approve it twice counts once.',
    right: approving,
    session: 'confirmed',
    body: noted,
    decision: ({ note }) => ({ action: 'Approve', note }),
  }),
  decisionRoute({
    id: 'denyAccess',
    path: 'denial',
    summary: 'Deny a request that waits for approvals.',
    right: approving,
    body: noted,
    decision: ({ note }) => ({ action: 'Deny', note }),
  }),
  decisionRoute({
    id: 'cancelAccess',
    path: 'cancellation',
    summary: 'Take back a request of your own that was not used.',
    right: { verb: 'create', resource: 'accessrequests' },
    body: noted,
    decision: ({ note }) => ({ action: 'Cancel', note }),
  }),
  decisionRoute({
    id: 'revokeAccess',
    path: 'revocation',
    summary: 'End a grant before its time.',
    right: approving,
    body: noted,
    decision: ({ note }) => ({ action: 'Revoke', note }),
  }),
  decisionRoute({
    id: 'reviewAccess',
    path: 'review',
    summary: 'Record the review of an emergency of another person.',
    right: { verb: 'update', resource: 'accessrequests/review' },
    session: 'confirmed',
    body: z.strictObject({
      outcome: z.enum(['Justified', 'Misuse']).describe('Whether the emergency was one.'),
      note: noteField,
    }),
    decision: ({ outcome, note }) => ({ action: 'Review', outcome, note }),
  }),
]

export const accessRequestRoutes = routesOf('Access', [
  route({
    id: 'listAccessRequests',
    at: 'GET /access-requests',
    summary: 'Your own requests, and those that you may approve or list; newest first.',
    access: { in: 'teams', ...ownRequests, placed: true },
    query: z.strictObject({ ...listQuery, ...pageQuery }),
    response: {
      description: 'One page of requests.',
      schema: pageOf('requests', accessRequestSchema),
    },
    handle: async (context) => {
      const { items, next } = pagedBy(await listOwn(context), newestFirst, context.query)
      return { body: { requests: items.map(toAccessRequest), ...next } }
    },
  }),
  route({
    id: 'getAccessRequest',
    at: 'GET /access-requests/:request_id',
    summary: 'One request.',
    access: { in: 'request', ...ownRequests },
    response: { description: 'The request.', schema: accessRequestSchema },
    handle: async (context) => shownAs(await visible(context), toAccessRequest),
  }),
  route({
    id: 'requestAccess',
    at: 'POST /projects/:project_id/access-requests',
    summary: 'Ask to read guarded values for a while. `emergency` is active at once.',
    access: { in: 'project', verb: 'create', resource: 'accessrequests' },
    session: 'confirmed',
    body: z.strictObject(createShape(requestFields.filter(({ name }) => name !== 'project'))),
    response: { status: 201, description: 'The new request.', schema: accessRequestSchema },
    handle: async (context) => {
      const { namespace = '', name: project } = requireTarget(context).metadata
      const spec = withRestFields(requestFields, { projectRef: { name: project } }, context.body)
      const metadata = { name: '', namespace }
      const made = await inNamesOf(requestFields, () =>
        context.deps.store.write(context.actor, {}, (tx) =>
          tx.create({ apiVersion, kind: 'AccessRequest', metadata, spec }),
        ),
      )
      return shownAs(made, toAccessRequest)
    },
  }),
  ...decisionRoutes,
])
