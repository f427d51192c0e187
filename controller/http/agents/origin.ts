// Where a request of an agent came from, for the audit log.
import type { Origin } from '../../../src/store/store.ts'
import type { AgentContext } from './refusal.ts'

export const originOf = (c: AgentContext): Origin => ({
  address: c.get('address'),
  requestId: c.get('requestId'),
})
