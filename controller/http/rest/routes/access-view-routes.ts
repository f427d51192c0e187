// Who sees a request, what it reaches, and who can read values of a project now.
import * as z from 'zod'
import { allows, type Principal } from '../../../../src/access/principal.ts'
import { rolesWith } from '../../../../src/access/roles.ts'
import { mayApprove, type MemberFacts } from '../../../../src/kinds/access-request/state.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import { rulesOfPolicy } from '../../../../src/kinds/access-policy/schema.ts'
import { refOf, type KubeObject } from '../../../../src/resources/meta.ts'
import { projectNameOf } from '../../../../src/resources/project-ref.ts'
import { specOf, statusOf } from '../../../../src/kinds/typed.ts'
import { isUnreviewed } from '../../../../src/store/objects/glass.ts'
import { restNotFound } from '../access.ts'
import { listRoute } from '../lists.ts'
import { timeSchema } from '../representations.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'

export const ownRequests = { verb: 'get', resource: 'accessrequests/own' } as const

const seesAll = (principal: Principal, namespace: string): boolean =>
  allows(principal, { verb: 'list', resource: 'accessrequests', namespace })

const policiesOf = async (
  { deps }: Pick<RestContext, 'deps'>,
  { namespace, project }: { readonly namespace: string; readonly project: string },
): Promise<KubeObject[]> => {
  const { items } = await deps.store.list('AccessPolicy', { namespace })
  return items.filter((policy) => specOf('AccessPolicy', policy).projects.includes(project))
}

const isApprover = async (context: RestContext, request: KubeObject): Promise<boolean> => {
  const { principal } = context
  const { namespace } = refOf(request)
  const policies = await policiesOf(context, { namespace, project: projectNameOf(request) ?? '' })
  const member = { ...principal, role: principal.roles.get(namespace) }
  return policies.some((policy) =>
    mayApprove(rulesOfPolicy(specOf('AccessPolicy', policy)), member),
  )
}

/** One's own, those that one may approve, and all for who may list them. */
export const isVisible = async (context: RestContext, request: KubeObject): Promise<boolean> => {
  const { principal } = context
  return (
    statusOf('AccessRequest', request).requester?.id === principal.id ||
    seesAll(principal, refOf(request).namespace) ||
    isApprover(context, request)
  )
}

/** Whether it waits for what the caller may do with it: a review of an emergency, or an approval. */
export const waitsFor = async (context: RestContext, request: KubeObject): Promise<boolean> => {
  const { principal } = context
  const { requester, state } = statusOf('AccessRequest', request)
  if (principal.kind !== 'user' || requester?.id === principal.id) return false
  const { namespace } = refOf(request)
  if (isUnreviewed(request))
    return allows(principal, { verb: 'update', resource: 'accessrequests/review', namespace })
  return state === 'Pending' && isApprover(context, request)
}

export const visible = async (context: RestContext): Promise<KubeObject> => {
  const request = requireTarget(context)
  if (await isVisible(context, request)) return request
  throw restNotFound('request', context.params['request_id'] ?? '')
}

const reachSchema = z.strictObject({
  name: z.string(),
  key: z.string(),
  scope: z.string(),
  version: z.int().describe('Version of now.'),
  services: z
    .array(z.string())
    .describe('Services that see it: the first 20, as stagelet/service.'),
  machines: z.array(z.string()).describe('Agents of these services.'),
  read_by: z
    .array(z.strictObject({ by: z.string(), at: timeSchema, version: z.int() }))
    .describe('Who has read it before, newest first.'),
})

const reachOf = async (context: RestContext) => {
  const { store, audit } = context.deps
  const request = await visible(context)
  const { namespace } = refOf(request)
  const { secrets = [] } = statusOf('AccessRequest', request)
  const readers = await audit.readersOf(secrets.map(({ uid }) => uid))
  return Promise.all(
    secrets.map(async ({ name, uid, key, scope, version }) => {
      const secret = await store.get({ kind: 'StagelySecret', namespace, name })
      const isSame = secret?.metadata.uid === uid
      const { services = [], version: current = version } = isSame ? (secret.status ?? {}) : {}
      const stagelets = new Set(services.map((service) => service.split('/')[0] ?? ''))
      const machines = new Set<string>()
      for (const stagelet of stagelets) {
        const found = await store.get({ kind: 'Stagelet', namespace, name: stagelet })
        if (found !== undefined) machines.add(found.spec.agentRef.name)
      }
      const readBy = readers.filter((read) => read.uid === uid).map(({ uid: _, ...read }) => read)
      return { name, key, scope, version: current, services, machines: [...machines], readBy }
    }),
  )
}

const personSchema = z.strictObject({
  name: z.string(),
  why: z.string().describe('By which role, request or policy.'),
  until: timeSchema.optional(),
})

const accessNowSchema = z.strictObject({
  at: timeSchema,
  policies: z.array(z.string()).describe('Policies that guard the project, or environments of it.'),
  environments: z
    .array(z.string())
    .optional()
    .describe('Where they count; absent: in the whole project.'),
  approvers: z.array(z.string()).describe('Who may approve requests.'),
  readers: z.array(personSchema).describe('Who can read guarded values now.'),
  machines: z.array(z.string()).describe('Machine tokens that keep their right.'),
  standing: z
    .array(personSchema)
    .describe('Who may read what is not guarded, by role. Admins of the controller too.'),
})

const roleReaders: readonly string[] = rolesWith('get', 'stagelysecrets/value')

const accessNow = async (context: RestContext) => {
  const { deps } = context
  const { namespace = '', name: project } = requireTarget(context).metadata
  const policies = await policiesOf(context, { namespace, project })
  const members = await deps.people.members.list(namespace)
  const facts = members.map(({ userId: id, user: name, role }): MemberFacts => ({ id, name, role }))
  const rules = policies.map((policy) => rulesOfPolicy(specOf('AccessPolicy', policy)))
  const { items } = await deps.store.list('AccessRequest', { namespace })
  const active = items.filter(
    (request) =>
      projectNameOf(request) === project && statusOf('AccessRequest', request).state === 'Active',
  )
  const scopes = policies.map((policy) => specOf('AccessPolicy', policy).environments)
  const isWhole = scopes.some((environments) => environments === undefined)
  return {
    at: toTimestamp(deps.clock.now()),
    policies: policies.map(({ metadata }) => metadata.name),
    ...(policies.length > 0 && !isWhole && { environments: scopes.flat().map(String) }),
    approvers: facts
      .filter((member) => rules.some((rule) => mayApprove(rule, member)))
      .map(({ name }) => name),
    readers: active.map((request) => {
      const { requester, endsAt } = statusOf('AccessRequest', request)
      return {
        name: requester?.name ?? '',
        why: `request ${request.metadata.name}`,
        ...defined({ until: endsAt }),
      }
    }),
    machines: [...new Set(rules.flatMap(({ machines }) => machines))],
    standing:
      policies.length > 0 && isWhole
        ? []
        : facts
            .filter(({ role }) => roleReaders.includes(role ?? ''))
            .map(({ name, role }) => ({ name, why: `role ${role ?? ''}` })),
  }
}

export const accessViewRoutes = routesOf('Access', [
  listRoute({
    id: 'accessReach',
    at: 'GET /access-requests/:request_id/reach',
    summary: 'What is asked for: versions, who runs it, and who has read it before. Never a value.',
    access: { in: 'request', ...ownRequests },
    description: 'The secrets of the request.',
    list: 'secrets',
    item: reachSchema,
    read: reachOf,
    order: { of: 'reach', placeOf: ({ name }) => [name] },
  }),
  route({
    id: 'accessNow',
    at: 'GET /projects/:project_id/access',
    summary: 'Who can read values of the project now.',
    access: { in: 'project', verb: 'list', resource: 'accessrequests' },
    response: { description: 'People and machines, and why.', schema: accessNowSchema },
    handle: async (context) => ({ body: await accessNow(context) }),
  }),
])
