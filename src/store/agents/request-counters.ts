// Counters of signed requests of agents. They are in the database, so that no replica takes a request twice.
import type { Sql } from '../drivers/sql.ts'

export interface CountedRequest {
  readonly agentUid: string
  readonly ed25519: string
  readonly counter: number
}

/** The answers, in order: see AgentRegistry.useCounter. */
export const useCounters = async (
  sql: Sql,
  asked: readonly CountedRequest[],
): Promise<(number | undefined)[]> => {
  // Of several requests of one agent the highest counter is taken, and the others are sent again.
  const newest = new Map<string, CountedRequest>()
  for (const request of asked) {
    const other = newest.get(request.agentUid)
    if (other === undefined || other.counter < request.counter)
      newest.set(request.agentUid, request)
  }
  const chosen = [...newest.values()]
  // Rows are locked in one order everywhere: otherwise two writers could wait for each other for ever.
  const rows = await sql.query<{ agent_uid: string; counter: number; taken: boolean }>(
    `WITH held AS (
       SELECT k.agent_uid, k.counter AS before, r.counter FROM agent_keys k
       JOIN unnest($1::uuid[], $2::text[], $3::bigint[]) AS r (agent_uid, ed25519, counter)
         ON k.agent_uid = r.agent_uid AND k.ed25519 = r.ed25519
       ORDER BY k.agent_uid FOR UPDATE OF k),
     used AS (
       UPDATE agent_keys k SET counter = h.counter FROM held h
       WHERE k.agent_uid = h.agent_uid AND h.before < h.counter)
     SELECT agent_uid, greatest(before, counter) AS counter, before < counter AS taken FROM held`,
    [
      chosen.map((request) => request.agentUid),
      chosen.map((request) => request.ed25519),
      chosen.map((request) => request.counter),
    ],
  )
  const found = new Map(rows.map((row) => [row.agent_uid, row]))
  return asked.map((request) => {
    const row = found.get(request.agentUid.toLowerCase())
    const isTaken = row?.taken === true && newest.get(request.agentUid) === request
    return isTaken ? undefined : (row?.counter ?? request.counter)
  })
}
