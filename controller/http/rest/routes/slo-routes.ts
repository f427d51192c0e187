// The published time of propagation: how fast closed revisions were proven in containers, against what is promised.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { teamsWhere } from '../../../../src/access/principal.ts'
import { toFineTimestamp } from '../../../../src/kernel/clock.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { objectives, stageNames } from '../../../../src/rollout/propagation.ts'
import type { Propagation } from '../../../../src/store/activity/propagation.ts'
import { requireIn } from '../access.ts'
import { timeSchema } from '../representations.ts'
import { route, routesOf } from '../route.ts'

const access = { in: 'teams', verb: 'list', resource: 'events' } as const
const usualMs = 30 * 86_400_000
const count = z.int()
const ms = z.int().describe('ms')
const percentiles = { p50_ms: ms.optional(), p99_ms: ms.optional(), max_ms: ms.optional() }
const percentilesOf = ([p50, p99, max]: readonly number[] = []) =>
  defined({ p50_ms: p50, p99_ms: p99, max_ms: max })

const sloSchema = z.strictObject({
  since: timeSchema,
  is_met: z
    .boolean()
    .nullable()
    .describe('Whether every objective is met; null where nothing was proven.'),
  proven: count.describe(
    'Closed revisions that stagelets were proven to run; of one that overtook others, only the last.',
  ),
  objectives: z.array(
    z.strictObject({
      objective: z
        .enum(['started', 'proven'])
        .describe(
          'started: from the close of a revision until Compose begins. proven: from when the last new container is healthy until all labels were read and stored.',
        ),
      within_ms: ms,
      target: z.number().describe('Share of all that is to be within, such as 0.99.'),
      share: z.number().nullable().describe('Share that is within; null where nothing was proven.'),
      is_met: z.boolean().nullable(),
      ...percentiles,
      missed: z
        .array(
          z.strictObject({
            team: z.string(),
            project: z.string(),
            stagelet: z.string(),
            revision: z.int(),
            ms,
          }),
        )
        .describe('The slowest that were not within, three at most.'),
    }),
  ),
  stages: z.array(
    z.strictObject({
      stage: z.enum([...stageNames, 'total']),
      ...percentiles,
    }),
  ),
  left_out: z
    .array(z.strictObject({ because: z.string(), count }))
    .describe(
      'In no number above: Failed, RolledBack, what waited for a person or a machine (Paused, AgentDrained, AgentAway, AwaitingTurn and so on), first rollouts, and Unmeasured: a newer revision had closed before the agent began.',
    ),
})

const toSlo = (found: Propagation, since: number): z.infer<typeof sloSchema> => {
  const { proven, stages, others } = found
  const shown = objectives.map(({ name, withinMs, share: target }, i) => {
    const { within = 0, ms: times, missed: slow = [] } = found.objectives[i] ?? {}
    const share = proven === 0 ? null : within / proven
    const is_met = share === null ? null : share >= target
    const missed = slow.map(({ namespace: team, ...rest }) => ({ team, ...rest }))
    const all = { objective: name, within_ms: withinMs, target, share, is_met }
    return { ...all, ...percentilesOf(times ?? undefined), missed }
  })
  return {
    since: toFineTimestamp(since),
    is_met: proven === 0 ? null : shown.every((row) => row.is_met === true),
    proven,
    objectives: shown,
    stages: [...stageNames, 'total' as const].flatMap((stage) =>
      stages[stage] === undefined ? [] : [{ stage, ...percentilesOf(stages[stage]) }],
    ),
    left_out: Object.entries(others)
      .map(([because, n]) => ({ because, count: n }))
      .toSorted((a, b) => b.count - a.count || a.because.localeCompare(b.because)),
  }
}

export const sloRoutes = routesOf('Activity', [
  route({
    id: 'getPropagation',
    at: 'GET /slo',
    summary:
      'How fast closed revisions were proven in containers: objectives, percentiles of each stage, and what is left out. From the newest 50 rollouts of each stagelet.',
    access,
    query: z.strictObject({
      team: z.string().max(limits.name).optional().describe('Only of this team.'),
      project: z.string().max(limits.name).optional().describe('Only of the project of this name.'),
      since: z.iso
        .datetime({ offset: true })
        .max(limits.time)
        .optional()
        .describe('From this time on, RFC 3339; the last 30 days when absent.'),
    }),
    response: { description: 'The measured times.', schema: sloSchema },
    handle: async ({ deps, principal, query: { team, project, since } }) => {
      if (team !== undefined) requireIn(principal, access, team)
      const teams =
        team === undefined ? teamsWhere(principal, access.verb, access.resource) : [team]
      const from = since === undefined ? deps.clock.now() - usualMs : Date.parse(since)
      const found = await deps.activity.propagation({ teams, project, since: from })
      return { body: toSlo(found, from) }
    },
  }),
])
