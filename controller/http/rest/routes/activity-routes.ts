// What happened and lasts: the rollouts of stagelets, and the feed of changes, rollouts, drift, agents and pauses. For
// everybody of a team; the audit log, which says more, is not.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { toFineTimestamp } from '../../../../src/kernel/clock.ts'
import { stageletStatus } from '../../../../src/kinds/stagelet/schema.ts'
import { statusConditions, findCondition } from '../../../../src/resources/conditions.ts'
import { specOf } from '../../../../src/kinds/typed.ts'
import type {
  ActivityPage,
  ActivityPlace,
  RolloutFilter,
} from '../../../../src/store/activity/activity-log.ts'
import { withoutLogLines } from '../../../../src/store/places/log-lines.ts'
import { activityKinds, type Activity } from '../../../../src/store/core/activity-entry.ts'
import { activityRight, seenBy } from '../seen-activity.ts'
import { describeActivity, type Drifted, type Seen } from './activity-words.ts'
import type { RestDeps } from '../deps.ts'
import { renderId } from '../ids.ts'
import { badCursor, pageOf, pageQuery } from '../paging.ts'
import { timeSchema } from '../representations.ts'
import { requireTarget, route, routesOf, type RestContext } from '../route.ts'
import { answer } from '../shapes.ts'
import { rightsOf } from '../../../../src/store/core/actor.ts'

const rolloutFields = stageletStatus.shape.lastRollout.unwrap().shape
const results = [...rolloutFields.result.options, 'Superseded'] as const

const { toldMs, startedMs, healthyMs, provenMs } = rolloutFields.times.unwrap().shape
const timesSchema = z
  .strictObject({
    told_ms: toldMs,
    started_ms: startedMs,
    healthy_ms: healthyMs,
    proven_ms: provenMs,
  })
  .describe(rolloutFields.times.description ?? '')

const rolloutSchema = z.strictObject({
  id: z.string(),
  stagelet: z.string(),
  stagelet_id: z.string(),
  team: z.string(),
  project: z.string(),
  revision: rolloutFields.revision,
  cause: rolloutFields.cause.unwrap(),
  result: z
    .enum([...results, 'Unknown'])
    .describe(
      'RolledBack: healthy again with this earlier revision. Superseded: another rollout began before it ended. Unknown: it had begun, and nobody sees the stagelet now.',
    ),
  by: z
    .array(z.string())
    .describe('Who made the revision; of healing, whose commands had changed the containers.'),
  told_at: timeSchema.optional().describe('When the agent was told, at the latest.'),
  started_at: timeSchema.optional().describe('When the agent began.'),
  finished_at: timeSchema.optional(),
  services: z.array(
    z.strictObject({
      name: z.string(),
      what: z
        .enum(['recreated', 'cascaded', 'restarted', 'untouched'])
        .describe('cascaded: re-created along with others; restarted: it has its container still.'),
      since: timeSchema.optional().describe('When its newest container started, by the engine.'),
      healthy_at: timeSchema
        .optional()
        .describe('When its health check first passed, by the engine; absent without one.'),
    }),
  ),
  blame: z
    .strictObject({
      service: z.string().describe('The service that failed.'),
      keys: z.array(z.string()).describe('Keys of the values that it got anew or lost.'),
      authors: z.array(z.string()).describe('Who set them.'),
    })
    .optional(),
  message: z.string().optional().describe('Why it failed, with the last log lines; masked.'),
  closed_at: timeSchema.optional().describe(rolloutFields.closedAt.description ?? ''),
  held_by: rolloutFields.heldBy,
  times: timesSchema.optional(),
})

type RolloutRow = Extract<Activity, { kind: 'rollout' }>

/** A condition of the row's stagelet, as it is now. */
const statusNow = async (
  { store }: RestDeps,
  { subject }: Pick<Activity, 'subject'>,
  type: 'Progressing' | 'Drifted',
): Promise<Drifted | undefined> => {
  const stagelet = await store.getByUid('Stagelet', subject)
  return stagelet && findCondition(statusConditions(stagelet), type)?.status
}

/** Whether the stagelet is still changed as the row says: a later change has a row of its own. */
const driftedNow = async (
  deps: RestDeps,
  { subject, namespace, stagelet: name = '', detail }: Extract<Activity, { kind: 'drift' }>,
): Promise<Seen> => {
  const stagelet = await deps.store.getByUid('Stagelet', subject)
  const agent = stagelet === undefined ? '' : specOf('Stagelet', stagelet).agentRef.name
  const status =
    stagelet === undefined
      ? undefined
      : findCondition(statusConditions(stagelet), 'Drifted')?.status
  if (status !== 'True' || detail.state === 'ByHand') return { now: status ?? 'Unknown', agent }
  const observed = await deps.store.get({ kind: 'Observation', namespace, name })
  return { now: observed?.spec.drift?.since === detail.since ? 'True' : 'False', agent }
}

/** Of what had begun and is not seen now it is not known how it ended. */
const resultOf = async (
  deps: RestDeps,
  row: RolloutRow,
): Promise<(typeof results)[number] | 'Unknown'> => {
  const { result } = row.detail
  if (result !== 'Progressing') return result
  return (await statusNow(deps, row, 'Progressing')) === 'Unknown' ? 'Unknown' : result
}

const toRollout = async (
  { deps, actor }: Pick<RestContext, 'deps' | 'actor'>,
  row: RolloutRow,
): Promise<z.infer<typeof rolloutSchema>> => {
  const { id, subject, stagelet = '', namespace: team, project = '', detail } = row
  const readsLogs = rightsOf(actor).mayReadLogs(team)
  const { message } = detail
  return answer(rolloutSchema, {
    by: [],
    services: [],
    ...detail,
    message: readsLogs ? message : message && withoutLogLines(message),
    result: await resultOf(deps, row),
    id: String(id),
    stagelet,
    stageletId: renderId('Stagelet', subject),
    team,
    project,
  })
}

const activitySchema = z.strictObject({
  id: z
    .string()
    .describe('Of one thing that happened: what is known later is told with the same id.'),
  at: timeSchema.describe('When it happened; of what took a while, when the last of it was known.'),
  kind: z.enum(activityKinds),
  what: z
    .string()
    .describe('One word: changed, the result of a rollout, healed, away, paused and so on.'),
  is_bad: z.boolean().describe('Somebody should look at it.'),
  team: z.string(),
  project: z.string().optional(),
  stagelet: z.string().optional(),
  agent: z.string().optional(),
  revision: z.int().optional(),
  keys: z.array(z.string()).optional().describe('Of a revision: the first 20 by name.'),
  by: z.array(z.string()).describe('Who did it, as far as that is known.'),
  note: z.string().optional().describe('Why, as they said.'),
  message: z.string().describe('In words.'),
})

const toActivity = async (
  deps: RestDeps,
  row: Activity,
): Promise<z.infer<typeof activitySchema>> => {
  const { id, at, namespace: team, detail } = row
  const drifted = row.kind === 'drift' ? await driftedNow(deps, row) : undefined
  const { isBad = false, ...sentence } = describeActivity(row, drifted)
  return answer(activitySchema, {
    ...row,
    ...('revision' in detail && { revision: detail.revision }),
    ...('keys' in detail && { keys: detail.keys, note: detail.note }),
    id: String(id),
    at: toFineTimestamp(at),
    team,
    isBad,
    ...sentence,
  })
}

const access = { in: 'teams', ...activityRight, placed: true } as const

const teamQuery = {
  team: z.string().max(limits.name).optional().describe('Only of this team.'),
  project: z.string().max(limits.name).optional().describe('Only of the project of this name.'),
}

const rolloutQuery = {
  state: z.enum(results).optional().describe('Only with this result.'),
  revision: z.coerce.number().int().positive().optional().describe('Only of this revision.'),
}

const cursorOf = ({ at, id }: ActivityPlace): string => `${at}-${id}`

const pageAt = ({
  cursor,
  limit,
}: {
  readonly cursor?: string | undefined
  readonly limit: number
}): { limit: number; before: ActivityPlace | undefined } => {
  if (cursor === undefined) return { limit, before: undefined }
  const [, at, id] = /^(\d{1,15})-(\d{1,15})$/.exec(cursor) ?? []
  if (at === undefined) throw badCursor()
  return { limit, before: { at: Number(at), id: Number(id) } }
}

const nextOf = ({ next }: ActivityPage): { next_cursor?: string } =>
  next === undefined ? {} : { next_cursor: cursorOf(next) }

const rolloutsOf = async (
  context: Pick<RestContext, 'deps' | 'actor'>,
  filter: RolloutFilter,
  page: Parameters<typeof pageAt>[0],
) => {
  const found = await context.deps.activity.rollouts(filter, pageAt(page))
  const rows = found.items.filter((activity) => activity.kind === 'rollout')
  const rollouts = await Promise.all(rows.map((row) => toRollout(context, row)))
  return { body: { rollouts, ...nextOf(found) } }
}

const rolloutsResponse = {
  description: 'One page, newest first.',
  schema: pageOf('rollouts', rolloutSchema),
}

export const activityRoutes = routesOf('Activity', [
  route({
    id: 'listStageletRollouts',
    at: 'GET /stagelets/:stagelet_id/rollouts',
    summary:
      'The newest 50 rollouts of a stagelet: what each did, how it ended, and why it failed.',
    access: { in: 'stagelet', verb: 'get', resource: 'stagelets' },
    query: z.strictObject({ ...rolloutQuery, ...pageQuery }),
    response: rolloutsResponse,
    handle: (context) => {
      const { state: result, revision, ...page } = context.query
      const stagelet = requireTarget(context).metadata.uid
      return rolloutsOf(context, { teams: undefined, stagelet, result, revision }, page)
    },
  }),
  route({
    id: 'listRollouts',
    at: 'GET /rollouts',
    summary: 'The newest rollouts of all stagelets of your teams.',
    access,
    query: z.strictObject({
      ...teamQuery,
      ...rolloutQuery,
      ...pageQuery,
    }),
    response: rolloutsResponse,
    handle: async (context) => {
      const { team, project, state: result, revision, ...page } = context.query
      const seen = await seenBy(context, team)
      return rolloutsOf(context, { ...seen, project, result, revision }, page)
    },
  }),
  route({
    id: 'listActivity',
    at: 'GET /activity',
    summary:
      'What happened in the last 90 days, newest first: revisions, rollouts, drift and who did it by hand, agents, pauses.',
    access,
    query: z.strictObject({
      ...teamQuery,
      stagelet: z
        .string()
        .max(limits.name)
        .optional()
        .describe('Only of the stagelet of this name.'),
      kind: z.enum(activityKinds).optional().describe('Only of this kind.'),
      since: z.iso
        .datetime({ offset: true })
        .max(limits.time)
        .optional()
        .describe('From this time on, RFC 3339.'),
      ...pageQuery,
    }),
    response: {
      description: 'One page. Healing is told as drift, and as a rollout where it failed.',
      schema: pageOf('activity', activitySchema),
    },
    handle: async (context) => {
      const { deps, query } = context
      const { team, since, limit, cursor, ...filter } = query
      const seen = await seenBy(context, team)
      const from = since === undefined ? undefined : Date.parse(since)
      const page = pageAt({ limit, cursor })
      const found = await deps.activity.list(
        { ...filter, ...seen, since: from },
        page,
        deps.clock.now(),
      )
      const activity = await Promise.all(found.items.map((row) => toActivity(deps, row)))
      return { body: { activity, ...nextOf(found) } }
    },
  }),
])
