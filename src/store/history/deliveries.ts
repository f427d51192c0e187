// Opens sets for agents. Agents that ask for the same set at about the same time share one read of the set
// and one commit of audit rows: a change to thousands of stagelets is read a few times.
import { batched } from '../../kernel/async/batched.ts'
import { emptyLayout, parseLayout, type Layout } from '../../secrets/layout.ts'
import { controllerActor, type Delivery } from '../core/actor.ts'
import type { Seen } from '../../secrets/set-entry.ts'
import type { OpenedEntry } from '../core/sets.ts'
import type { Queryable } from '../drivers/sql.ts'
import type { Writer } from '../log/writer.ts'
import type { DeliveredSet } from '../secrets/sets.ts'

/** Most deliveries that share one read. */
const mostAtOnce = 256
/** The event loop goes on after this many answers: each one is sealed and sent at once. */
const answersBeforeYield = 20

type OpenSets = (
  projectUid: string,
  revision: number,
  deliveries: readonly Delivery[],
) => Promise<Seen<OpenedEntry>[][]>

export type OpenSet = (
  projectUid: string,
  revision: number,
  delivery: Delivery,
) => Promise<Seen<OpenedEntry>[]>

export const createDeliveries = (openSets: OpenSets): OpenSet => {
  /** Sets that are being read. */
  const sets = new Map<string, (delivery: Delivery) => Promise<Seen<OpenedEntry>[]>>()
  return (projectUid, revision, delivery) => {
    const id = `${projectUid} ${revision}`
    const running = sets.get(id)
    if (running !== undefined) return running(delivery)
    const open = batched(
      mostAtOnce,
      (deliveries: readonly Delivery[]) => openSets(projectUid, revision, deliveries),
      { inTurns: answersBeforeYield, onIdle: () => sets.delete(id) },
    )
    sets.set(id, open)
    return open(delivery)
  }
}

interface DeliveredRow {
  name: string
  agent: string
  keys: string | null
}

const deliveredSql = `
SELECT name, detail ->> 'agent' AS agent, detail ->> 'keys' AS keys FROM audit
WHERE action = 'deliver' AND namespace = $1 AND name = ANY ($2)
  AND detail ->> 'project' = $3 AND detail ->> 'revision' = $4 AND detail ->> 'epoch' = $5`

/** A revision that an agent was sent for a stagelet. */
export interface DeliveredRevision {
  readonly stagelet: string
  /** `namespace/name` */
  readonly agent: string
  /** Fingerprint of the keys that it was sealed to; null in rows of earlier builds. */
  readonly keys: string | null
  readonly revision: number
  /** By which the stagelet saw the set. */
  readonly layout: Layout
}

/** The layout of each revision, as far as layouts are kept. */
const layoutsIn = async (
  q: Queryable,
  projectUid: string,
): Promise<(revision: number) => Layout> => {
  const rows = await q.query<{ readonly from: number; readonly layout: string }>(
    `SELECT from_revision AS "from", layout FROM layouts WHERE project_uid = $1 ORDER BY from_revision DESC`,
    [projectUid],
  )
  const layouts = rows.map(({ from, layout }) => ({ from, layout: parseLayout(layout) }))
  return (revision) => layouts.find(({ from }) => from <= revision)?.layout ?? emptyLayout
}

/** What was delivered of a project, as far as the audit log is kept. */
export const deliveriesOf = async (
  q: Queryable,
  namespace: string,
  projectUid: string,
  stagelets: readonly string[],
): Promise<DeliveredRevision[]> => {
  const rows = await q.query<Omit<DeliveredRevision, 'layout'>>(
    `SELECT DISTINCT name AS stagelet, detail ->> 'agent' AS agent, detail ->> 'keys' AS keys,
       (detail ->> 'revision')::bigint AS revision
     FROM audit WHERE action = 'deliver' AND namespace = $1 AND name = ANY ($2) AND detail ->> 'project' = $3`,
    [namespace, stagelets, projectUid],
  )
  const layoutOf = await layoutsIn(q, projectUid)
  return rows.map((row) => ({ ...row, layout: layoutOf(row.revision) }))
}

const idOf = (stagelet: string, agent: string, keys: string | null | undefined): string =>
  JSON.stringify([stagelet, agent, keys ?? ''])

/**
 * Audits deliveries: one row for each set, stagelet, agent, and keys that the set is sealed to. A repeated delivery has its row already. Two replicas that deliver a set at the same moment write a row each.
 */
export const auditDeliveries = async (
  q: Queryable,
  writer: Writer,
  { projectUid: project, namespace, epoch, revision }: DeliveredSet,
  deliveries: readonly Delivery[],
): Promise<void> => {
  const missing = new Map(
    deliveries.map(
      (delivery) => [idOf(delivery.stagelet, delivery.agent, delivery.keys), delivery] as const,
    ),
  )
  const delivered = await q.query<DeliveredRow>(deliveredSql, [
    ...[namespace, [...new Set(deliveries.map(({ stagelet }) => stagelet))]],
    ...[project, String(revision), String(epoch)],
  ])
  for (const { name, agent, keys } of delivered) missing.delete(idOf(name, agent, keys))
  if (missing.size === 0) return
  await writer.run(controllerActor, {}, (session) => {
    for (const { stagelet: name, agent, keys, from } of missing.values()) {
      const ref = { kind: 'Stagelet', namespace, name }
      const detail = { project, epoch, revision, agent, keys }
      // The actor is the agent that gets the values, as it is the person who reads a value.
      const actor = {
        ...from,
        name: `agent:${agent}`,
        source: 'system',
        authority: 'whole' as const,
      }
      session.audit(ref, { action: 'deliver', detail }, actor)
    }
    return Promise.resolve()
  })
}
