// Stagelets and agents: what runs where, and how it is.
import { z } from 'zod'
import { teamsWhere } from '../../../src/access/principal.ts'
import {
  agentSpec,
  agentStatus,
  type AgentSpec,
  type AgentStatus,
} from '../../../src/resources/agent.ts'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import {
  stageletStatus,
  type StageletSpec,
  type StageletStatus,
} from '../../../src/resources/stagelet.ts'
import { requireIn } from './access.ts'
import type { RestDeps } from './deps.ts'
import { idOf } from './ids.ts'
import { listPaged, nextCursor, pageQuery } from './paging.ts'
import { conditions, conditionsOf, source, sourceOf, time } from './representations.ts'
import { route, type RestRoute } from './route.ts'
import { annotated, changeTarget, shownAs, showTarget } from './target.ts'

const status = stageletStatus.shape
const plainService = status.services.unwrap().element.shape

const seen = plainService.lastSeen.unwrap().shape

const serviceSchema = z.strictObject({
  name: plainService.name,
  state: plainService.state,
  health: plainService.health,
  restarts: plainService.restarts,
  since: plainService.since,
  in_sync: z
    .boolean()
    .optional()
    .describe('It runs exactly the secrets that it should. Absent while nobody sees it.'),
  revision: plainService.revision,
  keys: plainService.keys,
  shares_with: plainService.sharesWith,
  last_seen: z
    .strictObject({
      at: seen.at,
      state: seen.state,
      health: seen.health,
      restarts: seen.restarts,
      since: seen.since,
      revision: seen.revision,
    })
    .optional()
    .describe('How it was when it was last seen; only while its state is unknown.'),
})

const rollout = status.lastRollout.unwrap().shape
const rolloutSchema = z.strictObject({
  revision: rollout.revision,
  result: rollout.result,
  started_at: rollout.startedAt,
  finished_at: rollout.finishedAt,
  recreated: rollout.recreated,
  cascaded: rollout.cascaded,
  service: rollout.service,
  message: rollout.message,
})

const stageletSchema = z
  .strictObject({
    id: z.string().describe('`stg_…`; paths take it, and `team/name` as well.'),
    name: z.string(),
    team: z.string().describe('The team (namespace) that it belongs to.'),
    project: z.string().describe('Name of its project.'),
    agent: z.string().describe('Name of the agent that runs it.'),
    directory: z.string().describe('Folder of the compose file, on the agent’s machine.'),
    paused: z.boolean(),
    wanted_revision: status.wantedRevision,
    running_revision: status.runningRevision,
    services: z.array(serviceSchema).describe('Every service of the stack, as observed.'),
    last_seen: status.lastSeen,
    last_rollout: rolloutSchema.optional().describe('The last thing that the agent did.'),
    source,
    created_at: time,
    conditions,
  })
  .describe('One deployed environment: one Compose project on one machine.')

const toService = (service: NonNullable<StageletStatus['services']>[number]): object => {
  const { wantedDigest = '', runningDigest = '', sharesWith, lastSeen, ...shown } = service
  const shared = sharesWith === undefined ? {} : { shares_with: sharesWith }
  if (service.state !== 'unknown')
    return { ...shown, ...shared, in_sync: wantedDigest === runningDigest }
  const { runningDigest: _, ...then } = lastSeen ?? {}
  return { ...shown, ...shared, ...(lastSeen === undefined ? {} : { last_seen: then }) }
}

const toRollout = ({
  startedAt,
  finishedAt,
  ...others
}: NonNullable<StageletStatus['lastRollout']>): object => ({
  ...others,
  ...(startedAt === undefined ? {} : { started_at: startedAt }),
  ...(finishedAt === undefined ? {} : { finished_at: finishedAt }),
})

export const toStagelet = (object: KubeObject): object => {
  const { name, namespace = '', creationTimestamp = '' } = object.metadata
  const spec = object.spec as StageletSpec
  const {
    wantedRevision,
    runningRevision,
    services = [],
    lastSeen,
    lastRollout,
  } = (object.status ?? {}) as StageletStatus
  return {
    id: idOf(object),
    name,
    team: namespace,
    project: spec.projectRef.name,
    agent: spec.agentRef.name,
    directory: spec.compose.directory,
    paused: spec.paused ?? false,
    ...(wantedRevision === undefined ? {} : { wanted_revision: wantedRevision }),
    ...(runningRevision === undefined ? {} : { running_revision: runningRevision }),
    services: services.map(toService),
    ...(lastSeen === undefined ? {} : { last_seen: lastSeen }),
    ...(lastRollout === undefined ? {} : { last_rollout: toRollout(lastRollout) }),
    source: sourceOf(object),
    created_at: creationTimestamp,
    conditions: conditionsOf(object),
  }
}

const agentFields = agentStatus.shape

const agentSchema = z
  .strictObject({
    id: z.string().describe('`agt_…`; paths take it, and `team/name` as well.'),
    name: z.string(),
    team: z.string().describe('The team (namespace) that it belongs to.'),
    paused: agentSpec.shape.paused.unwrap(),
    version: agentFields.version,
    engine_version: agentFields.engineVersion,
    compose_version: agentFields.composeVersion,
    last_seen: agentFields.lastSeen,
    last_lost: agentFields.lastLost,
    clock_skew_ms: agentFields.clockSkewMs,
    created_at: time,
    conditions,
  })
  .describe('A machine that runs stacks.')

export const toAgent = (object: KubeObject): object => {
  const { name, namespace = '', creationTimestamp = '' } = object.metadata
  const s = (object.status ?? {}) as AgentStatus
  const shown = {
    version: s.version,
    engine_version: s.engineVersion,
    compose_version: s.composeVersion,
    last_seen: s.lastSeen,
    last_lost: s.lastLost,
    clock_skew_ms: s.clockSkewMs,
  }
  return {
    id: idOf(object),
    name,
    team: namespace,
    paused: ((object.spec ?? {}) as AgentSpec).paused ?? false,
    ...Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined)),
    created_at: creationTimestamp,
    conditions: conditionsOf(object),
  }
}

interface Listed {
  readonly id: string
  readonly path: '/stagelets' | '/agents'
  readonly tag: string
  readonly resource: 'stagelets' | 'agents'
  readonly kind: 'Stagelet' | 'Agent'
  readonly schema: z.ZodType
  readonly show: (object: KubeObject) => object
}

const listQuery = z.strictObject({
  team: z.string().optional().describe('Only of this team.'),
  project: z.string().optional().describe('Only of the project of this name.'),
  ...pageQuery,
})

const listRoute = ({ store }: RestDeps, what: Listed): RestRoute =>
  route({
    id: what.id,
    method: 'GET',
    path: what.path,
    tag: what.tag,
    summary: `${what.tag} of all your teams, with their status.`,
    access: { in: 'teams', verb: 'list', resource: what.resource },
    query: what.kind === 'Stagelet' ? listQuery : listQuery.omit({ project: true }),
    response: {
      status: 200,
      description: 'One page.',
      schema: z.strictObject({ [what.resource]: z.array(what.schema), next_cursor: nextCursor }),
    },
    handle: async ({ principal, query }) => {
      const { team, project, ...page } = query as z.infer<typeof listQuery>
      const asked = { verb: 'list', resource: what.resource } as const
      if (team !== undefined) requireIn(principal, asked, team)
      const mine = teamsWhere(principal, asked.verb, asked.resource)
      const selects = ({ spec }: KubeObject): boolean =>
        project === undefined || (spec as Partial<StageletSpec>).projectRef?.name === project
      const wanted = { namespaces: team === undefined ? mine : [team], selects }
      const { items, next } = await listPaged(store, what.kind, wanted, page)
      return { status: 200, body: { [what.resource]: items.map(what.show), ...next } }
    },
  })

export const stageletRoutes = (deps: RestDeps): RestRoute[] => [
  listRoute(deps, {
    id: 'listStagelets',
    path: '/stagelets',
    tag: 'Stagelets',
    resource: 'stagelets',
    kind: 'Stagelet',
    schema: stageletSchema,
    show: toStagelet,
  }),
  getStagelet,
  deployStagelet(deps),
  listRoute(deps, {
    id: 'listAgents',
    path: '/agents',
    tag: 'Agents',
    resource: 'agents',
    kind: 'Agent',
    schema: agentSchema,
    show: toAgent,
  }),
  getAgent,
]

const getStagelet: RestRoute = route({
  id: 'getStagelet',
  method: 'GET',
  path: '/stagelets/:stagelet_id',
  tag: 'Stagelets',
  summary: 'One stagelet with the status of each service.',
  access: { in: 'stagelet', verb: 'get', resource: 'stagelets' },
  response: { status: 200, description: 'The stagelet.', schema: stageletSchema },
  handle: showTarget(toStagelet),
})

const getAgent: RestRoute = route({
  id: 'getAgent',
  method: 'GET',
  path: '/agents/:agent_id',
  tag: 'Agents',
  summary: 'One agent with its status.',
  access: { in: 'agent', verb: 'get', resource: 'agents' },
  response: { status: 200, description: 'The agent.', schema: agentSchema },
  handle: showTarget(toAgent),
})

const deployStagelet = (deps: RestDeps): RestRoute =>
  route({
    id: 'deployStagelet',
    method: 'POST',
    path: '/stagelets/:stagelet_id/deploy',
    tag: 'Stagelets',
    summary: 'Deploy by hand: roll out pending edits of the compose file.',
    access: { in: 'stagelet', verb: 'create', resource: 'stagelets/deploy' },
    heedsIfMatch: true,
    response: {
      status: 202,
      description: 'The agent was told; last_rollout shows how it goes.',
      schema: stageletSchema,
    },
    handle: async (context) => {
      const updated = await changeTarget(deps, context, (before, now) =>
        annotated(before, annotations.redeploy, now),
      )
      return shownAs(202, updated, toStagelet)
    },
  })
