// What needs somebody, in all that the caller may list: see src/attention/attention.ts.
import * as z from 'zod'
import { teamsWhere } from '../../../../src/access/principal.ts'
import type { Resource } from '../../../../src/access/roles.ts'
import {
  attentionIn,
  attentionKinds,
  judge,
  type Attention,
  type Judged,
} from '../../../../src/attention/attention.ts'
import { mapYielding } from '../../../../src/kernel/async/map-yielding.ts'
import { limits } from '../../../../src/resources/limits.ts'
import { requireKind } from '../../../../src/kinds/index.ts'
import type { ListedObject } from '../../../../src/store/store.ts'
import { listRoute } from '../lists.ts'
import { timeSchema } from '../representations.ts'
import { routesOf, type RestContext } from '../route.ts'

const attentionSchema = z.strictObject({
  team: z.string(),
  kind: z
    .string()
    .describe('`Stagelet`, `StagelySecret` and so on; `Namespace` for the team itself.'),
  name: z.string(),
  project: z.string().optional(),
  condition: z.string().describe('A condition, or a setting such as `Paused`.'),
  status: z.string(),
  reason: z.string(),
  message: z.string().describe('Why, and what to do. Never a secret value.'),
  since: timeSchema.optional().describe('Absent for a setting.'),
  passes: z.boolean().describe('It goes on by itself: nobody is needed.'),
})

/** Of each stored row, which never changes. */
const judgedBy = new WeakMap<ListedObject, Judged>()

const judgedRow = (row: ListedObject): Judged => {
  const before = judgedBy.get(row)
  if (before !== undefined) return before
  const judged = judge(row.object)
  judgedBy.set(row, judged)
  return judged
}

const read = async (
  { deps, principal }: RestContext,
  team: string | undefined,
): Promise<Attention[]> => {
  const all: Judged[] = []
  for (const kind of attentionKinds) {
    const resource = requireKind(kind).plural as Resource
    const teams = teamsWhere(principal, 'list', resource)
    const isAsked = team === undefined || teams === undefined || teams.includes(team)
    if (!isAsked) continue
    const rows = await deps.store.listRows(kind, { within: team === undefined ? teams : [team] })
    await mapYielding(rows, (row) => all.push(judgedRow(row)))
  }
  return attentionIn(all)
}

/** What goes on by itself comes last; what a person has set, before it. */
const rankOf = ({ passes, since, status }: Attention): number => {
  if (passes === true) return 3
  if (since === undefined) return 2
  return status === 'Unknown' ? 1 : 0
}

export const attentionRoutes = routesOf('Attention', [
  listRoute({
    id: 'listAttention',
    at: 'GET /attention',
    summary: 'What needs somebody, in all your teams: the worst first.',
    access: { in: 'teams', verb: 'list', resource: 'stagelets', placed: true },
    query: { team: z.string().max(limits.name).optional().describe('Only of this team.') },
    description: 'For each cause one row, as `stagely status` and the dashboard show it.',
    list: 'attention',
    item: attentionSchema,
    read: async (context) =>
      (await read(context, context.query.team)).map((row) => ({
        ...row,
        team: row.namespace,
        passes: row.passes === true,
        rank: rankOf(row),
      })),
    order: {
      of: 'attention',
      placeOf: ({ rank, team, project = '', kind, name, condition }) => [
        rank,
        team,
        project,
        kind,
        name,
        condition,
      ],
    },
  }),
])
