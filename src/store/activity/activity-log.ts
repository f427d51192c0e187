// Reads the activity that is kept for people, newest first, and drops old activity.
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Queryable } from '../drivers/sql.ts'
import type { Activity, ContainerActivity, RolloutResult } from '../core/activity-entry.ts'
import { readPropagation, type Propagation, type PropagationFilter } from './propagation.ts'

const keepMs = 90 * 86_400_000
const keepRollouts = 50
const keepContainers = 200
/** Most rows of one answer: 100 stagelets with all that is kept of each. */
export const mostContainers = 20_000
/** Filter of activity. */
const keepOthers = 1_000

export interface ActivityFilter {
  /** The teams that the reader may see as a whole; undefined: all. */
  readonly teams: readonly string[] | undefined
  /** Of other teams: projects (`team/project`), and uids of stagelets. */
  readonly places?: ActivityPlaces | undefined
  readonly project?: string | undefined
  readonly stagelet?: string | undefined
  readonly kind?: string | undefined
  /** ms */
  readonly since?: number | undefined
}

interface ActivityPlaces {
  readonly projects: readonly string[]
  readonly stagelets: readonly string[]
}

export interface RolloutFilter extends Pick<ActivityFilter, 'teams' | 'places' | 'project'> {
  /** Uid of a stagelet. */
  readonly stagelet?: string | undefined
  readonly result?: RolloutResult | undefined
  readonly revision?: number | undefined
}

/** The position of a row in the order of time. */
export interface ActivityPlace {
  readonly at: number
  readonly id: number
}

export interface ActivityPage {
  readonly items: readonly Activity[]
  /** Position of the last item; undefined: no more items follow. */
  readonly next: ActivityPlace | undefined
}

interface PageOfActivity {
  readonly before?: ActivityPlace | undefined
  readonly limit: number
}

type Row = RowOf<Omit<Activity, 'detail'>> & { readonly detail: string }

const toActivity = ({ detail, ...row }: Row): unknown => ({
  ...fromRow(row),
  detail: JSON.parse(detail) as unknown,
})

const columns = `id, subject, at, kind, namespace, project, stagelet, agent, detail::text AS detail`

const seenSql = (at: number): string =>
  `($1::text[] IS NULL OR namespace = ANY ($1) OR namespace || '/' || project = ANY ($${at}::text[])
    OR subject = ANY ($${at + 1}::uuid[]))`

// Healing of drift that was told has rows of its own.
const feedSql = `SELECT ${columns} FROM activity
  WHERE ${seenSql(9)} AND at >= $2
    AND ($3::text IS NULL OR project = $3) AND ($4::text IS NULL OR stagelet = $4)
    AND ($5::text IS NULL OR kind = $5)
    AND kind <> 'container'
    AND NOT (kind = 'rollout' AND detail ->> 'cause' = 'Drift' AND detail ->> 'result' <> 'Failed'
      AND NOT detail ? 'untold')
    AND ($6::bigint IS NULL OR (at, id) < ($6, $7::bigint))
  ORDER BY at DESC, id DESC LIMIT $8`

const rolloutsSql = `SELECT ${columns} FROM activity
  WHERE kind = 'rollout' AND ${seenSql(9)}
    AND ($2::text IS NULL OR project = $2) AND ($3::uuid IS NULL OR subject = $3)
    AND ($4::text IS NULL OR detail ->> 'result' = $4)
    AND ($5::bigint IS NULL OR (detail ->> 'revision')::bigint = $5)
    AND ($6::bigint IS NULL OR (at, id) < ($6, $7::bigint))
  ORDER BY at DESC, id DESC LIMIT $8`

const listsOf = ({ projects, stagelets }: ActivityPlaces = { projects: [], stagelets: [] }) => [
  projects,
  stagelets,
]

const pageOf = (rows: readonly Row[], limit: number): ActivityPage => {
  const items = rows.slice(0, limit).map(toActivity) as Activity[]
  const { at, id } = items.at(-1) ?? { at: 0, id: 0 }
  return { items, next: rows.length > limit ? { at, id } : undefined }
}

export class ActivityLog {
  readonly #sql: Queryable

  constructor(sql: Queryable) {
    this.#sql = sql
  }

  async list(
    { teams, places, since = 0, project, stagelet, kind }: ActivityFilter,
    { before, limit }: PageOfActivity,
    now: number,
  ): Promise<ActivityPage> {
    const rows = await this.#sql.query<Row>(feedSql, [
      ...[teams ?? null, Math.max(since, now - keepMs), project ?? null, stagelet ?? null],
      ...[kind ?? null, before?.at ?? null, before?.id ?? null, limit + 1, ...listsOf(places)],
    ])
    return pageOf(rows, limit)
  }

  async rollouts(
    { teams, places, project, stagelet, result, revision }: RolloutFilter,
    { before, limit }: PageOfActivity,
  ): Promise<ActivityPage> {
    const rows = await this.#sql.query<Row>(rolloutsSql, [
      ...[teams ?? null, project ?? null, stagelet ?? null, result ?? null],
      ...[revision ?? null, before?.at ?? null, before?.id ?? null, limit + 1, ...listsOf(places)],
    ])
    return pageOf(rows, limit)
  }

  /** Containers with secrets of a project that came or went, the oldest first; of more than `mostContainers` the newest. */
  async containers(namespace: string, project: string): Promise<ContainerActivity[]> {
    const rows = await this.#sql.query<Row>(
      `SELECT ${columns}, mark FROM activity WHERE kind = 'container' AND namespace = $1 AND project = $2
       ORDER BY at DESC, id DESC LIMIT ${mostContainers}`,
      [namespace, project],
    )
    return rows.map(toActivity).reverse() as ContainerActivity[]
  }

  propagation(filter: PropagationFilter): Promise<Propagation> {
    return readPropagation(this.#sql, filter)
  }
}

/** Drops activity by its age. Of each stagelet, the newest rollouts and containers stay, and those that are there first. */
export const dropOldActivity = async (q: Queryable, now: number): Promise<void> => {
  await q.query(
    `DELETE FROM activity a WHERE kind <> 'rollout' AND at < $1
       AND NOT (kind = 'container' AND EXISTS (SELECT 1 FROM objects o WHERE o.uid = a.subject))`,
    [now - keepMs],
  )
  // A container that nobody has replaced for long is older than what comes and goes beside it.
  const isThere = `kind = 'container' AND NOT detail ? 'removed'`
  const group = `CASE WHEN kind IN ('rollout', 'container') THEN kind ELSE '' END`
  await q.query(
    `DELETE FROM activity a USING (
       SELECT id, row_number() OVER (PARTITION BY subject, ${group} ORDER BY (${isThere}) DESC, at DESC, id DESC) AS place
       FROM activity) p
     WHERE p.id = a.id AND p.place > CASE a.kind
       WHEN 'rollout' THEN ${keepRollouts} WHEN 'container' THEN ${keepContainers} ELSE ${keepOthers} END`,
  )
}
