// Computes from kept rollouts how long closed revisions took to reach the stagelets.
import { objectives, stageNames, type StageName } from '../../rollout/propagation.ts'
import type { Queryable } from '../drivers/sql.ts'

export interface PropagationFilter {
  /** The teams that the reader may see; undefined: all. */
  readonly teams: readonly string[] | undefined
  readonly project?: string | undefined
  /** Uid of a stagelet. */
  readonly stagelet?: string | undefined
  /** ms */
  readonly since: number
}

interface Missed {
  readonly namespace: string
  readonly project: string
  readonly stagelet: string
  readonly revision: number
  readonly ms: number
}

const mostMissed = 3

export interface Propagation {
  /** How many rollouts are proven and have their times. */
  readonly proven: number
  /** For each objective: how many proven rollouts meet it, and median, 99 % and maximum in ms; null where none is proven. */
  readonly objectives: readonly {
    readonly within: number
    readonly ms: readonly number[] | null
    /** The slowest of those that do not meet it. */
    readonly missed: readonly Missed[]
  }[]
  /** Median, 99 % and maximum of each stage and of the whole, in ms; empty where no rollout is proven. */
  readonly stages: Readonly<Partial<Record<StageName | 'total', readonly number[]>>>
  /** All other rollouts by result: Failed, RolledBack, the reason that held them back, or Unmeasured where it is not known when the revision closed. */
  readonly others: Readonly<Record<string, number>>
}

const percentilesOf = (ms: string): string =>
  `percentile_disc(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY ${ms})`
const total = stageNames.join(' + ')

const place = `namespace, project, stagelet`

const sql = `WITH ends AS (
    SELECT ${place}, (detail ->> 'revision')::int AS revision,
      CASE WHEN detail ->> 'result' <> 'Healthy' THEN detail ->> 'result'
        WHEN detail ? 'heldBy' THEN detail ->> 'heldBy'
        WHEN NOT detail ? 'times' THEN 'Unmeasured' END AS other,
      ${stageNames.map((name) => `(detail #>> '{times,${name}Ms}')::int AS ${name}`).join(', ')}
    FROM activity WHERE kind = 'rollout' AND detail ->> 'cause' = 'NewRevision'
      AND detail ->> 'result' IN ('Healthy', 'Failed', 'RolledBack') AND at >= $1
      AND ($2::text[] IS NULL OR namespace = ANY ($2)) AND ($3::text IS NULL OR project = $3)
      AND ($4::uuid IS NULL OR subject = $4)),
  proven AS (SELECT *, ${total} AS total FROM ends WHERE other IS NULL)
  SELECT json_build_object(
    'proven', (SELECT count(*) FROM proven),
    'objectives', (SELECT json_build_array(${objectives
      .map(({ stages, withinMs }) => {
        const ms = stages.join(' + ')
        const missed = `SELECT ${place}, revision, ${ms} AS ms FROM proven WHERE ${ms} > ${withinMs}
          ORDER BY ms DESC LIMIT ${mostMissed}`
        return `json_build_object('within', count(*) FILTER (WHERE ${ms} <= ${withinMs}), 'ms', ${percentilesOf(ms)},
          'missed', (SELECT coalesce(json_agg(m), '[]') FROM (${missed}) m))`
      })
      .join(', ')}) FROM proven),
    'stages', (SELECT json_strip_nulls(json_build_object(${[...stageNames, 'total']
      .map((name) => `'${name}', ${percentilesOf(name)}`)
      .join(', ')})) FROM proven),
    'others', (SELECT coalesce(json_object_agg(other, n), '{}') FROM (
      SELECT other, count(*) AS n FROM ends WHERE other IS NOT NULL GROUP BY other) o))::text AS found`

export const readPropagation = async (
  q: Queryable,
  { since, teams, project, stagelet }: PropagationFilter,
): Promise<Propagation> => {
  const [row] = await q.query<{ found: string }>(sql, [
    ...[since, teams ?? null, project ?? null, stagelet ?? null],
  ])
  return JSON.parse(row?.found ?? '{}') as Propagation
}
