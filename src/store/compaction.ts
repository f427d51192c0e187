// Drops rows that are older than their retention.
import { toFineTimestamp } from '../kernel/clock.ts'
import { lastSeenOf } from '../kinds/event/schema.ts'
import { refOf, type KubeObject } from '../resources/meta.ts'
import { specOf, statusOf } from '../kinds/typed.ts'
import { dropOldActivity } from './activity/activity-log.ts'
import { finishNamespace } from './objects/removal.ts'
import type { WriteSession } from './core/write-session.ts'
import { dropEndedExchanges } from './people/exchanged-rows.ts'
import { dropEndedSessions } from './people/session-times.ts'
import type { Queryable } from './drivers/sql.ts'
import { term } from './state/rows.ts'

const keepChangesMs = 600_000
const keepChanges = 1_000
const keepEventsMs = 3_600_000
/** For this time a replica may ask whether one of its commits is stored. */
const keepCommitsMs = 600_000
/** Most events that one write drops. */
const batch = 500

/** How much history stays. */
export interface Retention {
  /** Newest versions of each secret. */
  readonly versions: number
  /** Newest revisions of each environment of a project, with all that they hold. */
  readonly revisions: number
  /** How long a deleted secret can be restored (ms). */
  readonly deletedMs: number
  /** How long a request for access is kept after its end (ms). */
  readonly requestsMs: number
}

export const defaultRetention: Retention = {
  versions: 10,
  revisions: 20,
  deletedMs: 7 * 86_400_000,
  requestsMs: 400 * 86_400_000,
}

const lastSeen = (event: KubeObject): string =>
  lastSeenOf(specOf('Event', event)) || (event.metadata.creationTimestamp ?? '')

/** Drops events that have not happened again for an hour. */
export const dropOldEvents = (session: WriteSession, now: number): void => {
  const before = toFineTimestamp(now - keepEventsMs)
  const old = session.view.objects
    .withTerm(term.kind('Event'))
    .filter(({ object }) => lastSeen(object) < before)
    .sort((a, b) => a.rv - b.rv)
  for (const row of old.slice(0, batch)) session.drop(row)
}

/** Drops requests for access that have ended long ago. The audit log keeps their rows. */
export const dropOldRequests = (session: WriteSession, before: number): void => {
  const old = session.view.objects
    .withTerm(term.kind('AccessRequest'))
    .filter(({ object }) => Date.parse(statusOf('AccessRequest', object).endedAt ?? '') < before)
  for (const row of old.slice(0, batch)) session.drop(row)
}

/** Changes older than 10 minutes, but never the newest 1,000. */
const dropOldChanges = async (q: Queryable, now: number): Promise<void> => {
  await q.query(
    `WITH gone AS (
       DELETE FROM changes WHERE created_at < $1
         AND rv < coalesce((SELECT rv FROM changes ORDER BY rv DESC OFFSET ${keepChanges - 1} LIMIT 1), 0)
       RETURNING rv
     )
     UPDATE counters SET compacted_rv = greatest(compacted_rv, (SELECT max(rv) FROM gone))
     WHERE EXISTS (SELECT 1 FROM gone)`,
    [now - keepChangesMs],
  )
}

/** SQL: `holds` is true for a revision `pin` that a stagelet of project `p` wants or was healthy with. */
const isPinned = (holds: string): string => `EXISTS (
  SELECT 1 FROM objects s CROSS JOIN LATERAL (VALUES
    ((s.body #>> '{status,wantedRevision}')::bigint), ((s.body #>> '{status,healthyRevision}')::bigint)) pins(pin)
  WHERE s.kind = 'Stagelet' AND s.namespace = p.namespace
    AND s.body #>> '{spec,projectRef,name}' = p.name AND ${holds})`

/** SQL: the environments of project `p`, and '' for the stagelets in none. */
const environmentsOfProject = `(SELECT '' AS name UNION SELECT e.one ->> 'name' FROM objects o
  CROSS JOIN LATERAL json_array_elements(o.body #> '{spec,environments}') AS e (one) WHERE o.uid = p.uid)`

/**
 * Revisions beyond the newest of each environment, then versions that none of the rest holds: of a secret that lives or
 * can be restored the last ones stay, of a deleted one none. What a stagelet is to run, or would go back to, stays
 * whatever its age.
 */
const dropOldVersions = async (q: Queryable, keep: Retention): Promise<void> => {
  await q.query(
    `UPDATE revisions SET counts_in = changed_environments(project_uid, revision) WHERE counts_in IS NULL`,
    [],
  )
  await q.query(
    `WITH kept AS MATERIALIZED (
       SELECT p.uid, e.name, (SELECT n.revision FROM revisions n
         WHERE n.project_uid = p.uid AND n.counts_in && ARRAY[e.name, '*']
         ORDER BY n.revision DESC OFFSET $1::bigint - 1 LIMIT 1) AS oldest
       FROM projects p CROSS JOIN LATERAL ${environmentsOfProject} e
       WHERE EXISTS (SELECT 1 FROM revisions o WHERE o.project_uid = p.uid AND o.revision <= p.revision - $1::bigint))
     DELETE FROM revisions r USING projects p
     WHERE p.uid = r.project_uid AND r.revision <= p.revision - $1::bigint
       AND NOT EXISTS (SELECT 1 FROM kept k WHERE k.uid = p.uid AND r.counts_in && ARRAY[k.name, '*']
         AND r.revision >= coalesce(k.oldest, 0))
       AND NOT ${isPinned('pin = r.revision')}`,
    [keep.revisions],
  )
  await q.query(
    `DELETE FROM secret_versions v USING projects p
     WHERE p.uid = v.project_uid AND v.to_revision <= p.revision
       AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.project_uid = v.project_uid
         AND r.revision >= v.from_revision AND r.revision < v.to_revision)
       AND NOT ${isPinned('pin >= v.from_revision AND pin < v.to_revision')}
       AND (NOT EXISTS (SELECT 1 FROM objects o WHERE o.uid = v.secret_uid)
           AND NOT EXISTS (SELECT 1 FROM deleted_secrets d WHERE d.secret_uid = v.secret_uid)
         OR v.version <= (SELECT max(n.version) FROM secret_versions n WHERE n.secret_uid = v.secret_uid) - $1::int)`,
    [keep.versions],
  )
}

/** Layouts that no kept revision has, nor the open one. */
const dropOldLayouts = async (q: Queryable): Promise<void> => {
  await q.query(
    `DELETE FROM layouts l USING projects p
     WHERE p.uid = l.project_uid AND EXISTS (SELECT 1 FROM layouts n
       WHERE n.project_uid = l.project_uid AND n.from_revision > l.from_revision AND n.from_revision <= p.revision
         AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.project_uid = l.project_uid
           AND r.revision >= l.from_revision AND r.revision < n.from_revision))`,
    [],
  )
}

/** Drops rows of tables that are not in the state. */
export const dropOldRows = async (q: Queryable, keep: Retention, now: number): Promise<void> => {
  await dropOldChanges(q, now)
  await dropOldVersions(q, keep)
  await dropOldLayouts(q)
  await q.query('DELETE FROM join_tokens WHERE expires_at < $1', [now])
  await dropEndedSessions(q, now)
  await dropEndedExchanges(q, now)
  await dropOldActivity(q, now)
  await q.query(
    `WITH since AS (UPDATE counters SET commits_from = greatest(commits_from, $1))
     DELETE FROM commits WHERE at < $1 AND id IS DISTINCT FROM (SELECT tip FROM counters)`,
    [now - keepCommitsMs],
  )
  await q.query('DELETE FROM idempotency_keys WHERE expires_at < $1', [now])
}

/** Removes terminating namespaces whose last object is gone. */
export const finishNamespaces = (session: WriteSession): void => {
  for (const row of session.select(term.terminating))
    finishNamespace(session, refOf(row.object).name)
}
