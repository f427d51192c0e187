// The audit rows of sets that go to agents: one for each set, stagelet, agent and the keys that the set is
// sealed to.
import type { Queryable } from './sql.ts'
import type { Delivery } from './store.ts'

/** As of a value that a person reads, the actor is who gets it. Two replicas insert in one order. */
const deliverySql = `
INSERT INTO audit (at, actor, address, source, action, kind, namespace, name, request_id, detail)
SELECT to_timestamp($1::float8 / 1000), 'agent:' || d.agent, d.address, 'system', 'deliver', 'Stagelet',
  $2, d.name, d.request_id, d.detail::json
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  AS d (name, agent, address, request_id, detail)
ORDER BY d.name, d.agent
ON CONFLICT DO NOTHING`

interface DeliveredSet {
  readonly projectUid: string
  readonly namespace: string
  readonly epoch: number
  readonly revision: number
  readonly nowMs: number
}

export const auditDeliveries = async (
  q: Queryable,
  { projectUid: project, namespace, epoch, revision, nowMs }: DeliveredSet,
  deliveries: readonly Delivery[],
): Promise<void> => {
  const column = <T>(of: (delivery: Delivery) => T): T[] => deliveries.map(of)
  await q.query(deliverySql, [
    ...[nowMs, namespace, column(({ stagelet }) => stagelet)],
    column(({ agent }) => agent),
    column(({ from }) => from?.address ?? null),
    column(({ from }) => from?.requestId ?? null),
    column(({ agent, keys }) => JSON.stringify({ project, epoch, revision, agent, keys })),
  ])
}
