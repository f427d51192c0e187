// Stagelets and agents: what runs where, and its state.
import * as z from 'zod'
import { annotations } from '../../../src/resources/meta.ts'
import type { StageletSpec } from '../../../src/resources/stagelet.ts'
import { agentSchema, stageletSchema, toStagelet } from './kinds.ts'
import { readRoutes } from './lists.ts'
import { route, routesOf, type RestRoute } from './route.ts'
import { annotated, changeTarget, shownAs } from './target.ts'

const stagelets = routesOf('Stagelets', [
  ...readRoutes({
    kind: 'Stagelet',
    schema: stageletSchema,
    summaries: [
      'Stagelets of all your teams, with their status.',
      'One stagelet with the status of each service.',
    ],
    page: 'One page.',
    query: { project: z.string().optional().describe('Only of the project of this name.') },
    selects: ({ spec }, { project }) =>
      project === undefined || (spec as Partial<StageletSpec>).projectRef?.name === project,
  }),
  route({
    id: 'deployStagelet',
    at: 'POST /stagelets/:stagelet_id/deploy',
    summary: 'Deploy by hand: roll out pending edits of the compose file.',
    access: { in: 'stagelet', verb: 'create', resource: 'stagelets/deploy' },
    heedsIfMatch: true,
    response: {
      status: 202,
      description: 'The agent was told; last_rollout shows how it goes.',
      schema: stageletSchema,
    },
    handle: async (context) => {
      const updated = await changeTarget(context, (before, now) =>
        annotated(before, annotations.redeploy, now),
      )
      return shownAs(updated, toStagelet)
    },
  }),
])

const agents = routesOf(
  'Agents',
  readRoutes({
    kind: 'Agent',
    schema: agentSchema,
    summaries: ['Agents of all your teams, with their status.', 'One agent with its status.'],
    page: 'One page.',
  }),
)

export const stageletRoutes: readonly RestRoute[] = [...stagelets, ...agents]
