// Agents: machines that run stacks. Each is admitted by a join token, and locked out by a revocation.
import * as z from 'zod'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import { duration } from '../../../../src/resources/duration.ts'
import { renderJoinToken } from '../../../../src/protocol/join-token.ts'
import { annotations, refOf } from '../../../../src/resources/meta.ts'
import { actionRoute } from '../action-route.ts'
import { createRoute, readRoutes, updateRoute, type RestKind } from './kind-routes.ts'
import { agentFields, agentSchema, toAgent } from '../kinds.ts'
import { timeSchema } from '../representations.ts'
import { requireTarget, route, routesOf, type RestRoute } from '../route.ts'
import { shownAs } from '../target.ts'

const agents: RestKind = { kind: 'Agent', schema: agentSchema, fields: agentFields }

const weekSeconds = 7 * 86_400

/** The token comes by standard input: arguments can be read by every user of the machine. */
const commandWith = (token: string): string =>
  `printf '%s' '${token}' | sudo stagely agent install --join-file - --allow-dir /srv`

export const agentRoutes: readonly RestRoute[] = routesOf('Agents', [
  ...readRoutes(agents, {
    summaries: ['Agents of all your teams, with their status.', 'One agent with its status.'],
  }),
  createRoute(agents, {
    summary: 'Name a machine that is to run stacks. A join token lets it in.',
  }),
  updateRoute(agents, {
    summary: 'Pause or drain an agent, or end that. `null` takes a field away.',
  }),
  route({
    id: 'createJoinToken',
    at: 'POST /agents/:agent_id/join-token',
    summary: 'A token by which a machine joins as this agent, once.',
    access: { in: 'agent', verb: 'create', resource: 'agents/join' },
    session: 'confirmed',
    body: z.strictObject({
      ttl_seconds: z.int().min(1).max(weekSeconds).default(600).describe('How long it is good.'),
      ephemeral: z
        .strictObject({
          gone_after: duration.default('10m').describe('How long it may be away.'),
        })
        .optional()
        .describe('The machine is meant to go: the agent says so, or is refused.'),
    }),
    response: {
      status: 201,
      description: 'The token, shown this one time.',
      schema: z.strictObject({
        token: z.string().optional().describe('Absent in the answer to a repeated request.'),
        command: z
          .string()
          .optional()
          .describe('For a shell on the machine; name the folders of its stacks in --allow-dir.'),
        expires_at: timeSchema,
      }),
    },
    shownOnce: ['token', 'command'],
    handle: async (context) => {
      const { deps, actor, body } = context
      const { namespace, name } = refOf(requireTarget(context))
      const ttlMs = body.ttl_seconds * 1_000
      const ephemeral = body.ephemeral && { goneAfter: body.ephemeral.gone_after }
      const what = { namespace, name, ttlMs, actor, ephemeral }
      const made = await deps.agents.createJoinToken(what)
      const { tokenId, tokenSecret, expiresAt } = made
      const join = { ...deps.introduction(), namespace, name, tokenId, tokenSecret }
      const token = renderJoinToken(join)
      return { body: { token, command: commandWith(token), expires_at: toTimestamp(expiresAt) } }
    },
  }),
  actionRoute({
    id: 'rotateAgentKeys',
    at: 'POST /agents/:agent_id/rotate-keys',
    summary: 'Ask an agent for new keys. It stays joined, and no container restarts.',
    access: { in: 'agent', verb: 'patch', resource: 'agents' },
    heedsIfMatch: true,
    response: {
      description: 'The agent was asked; keys_rotated_at shows when it has them.',
      schema: agentSchema,
    },
    annotation: annotations.rotateKeys,
    show: (agent) => shownAs(agent, toAgent),
  }),
  route({
    id: 'revokeAgent',
    at: 'POST /agents/:agent_id/revoke',
    summary: 'Lock an agent out: its keys open nothing any more. A join token lets it in again.',
    access: { in: 'agent', verb: 'create', resource: 'agents/join' },
    response: { description: 'The agent as it is now.', schema: agentSchema },
    handle: async (context) => {
      const { deps, actor } = context
      const agent = requireTarget(context)
      await deps.agents.revoke(refOf(agent), actor)
      return shownAs((await deps.store.get(refOf(agent))) ?? agent, toAgent)
    },
  }),
])
