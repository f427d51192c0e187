// What Prometheus reads of the audit chain. Sequence and prefix together name a head: a history of
// them, kept where the database cannot be reached from, shows rows that were cut off.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { HeadMetrics } from './head-signing.ts'

export const createAuditMetrics = (registry: Registry): HeadMetrics => ({
  sequence: new Gauge({
    name: 'stagely_audit_head_sequence',
    help: 'Place of the newest signed audit row.',
    registers: [registry],
  }),
  prefix: new Gauge({
    name: 'stagely_audit_head_prefix',
    help: 'First 6 bytes of the hash of the newest signed audit row, as a number.',
    registers: [registry],
  }),
  failures: new Counter({
    name: 'stagely_audit_link_failures_total',
    help: 'Rounds of signing that failed; the log says why.',
    registers: [registry],
  }),
})
