import type { Registry } from 'prom-client'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Lifecycle } from '../../src/kernel/async/lifecycle.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { Opened } from '../../src/store/open/open-store.ts'
import type { Config } from '../config.ts'
import { createDeniedLog, type DeniedLog } from '../http/denied.ts'
import { startHeadSigning } from './head-signing.ts'
import { createAuditMetrics } from './metrics.ts'

export interface Context {
  readonly log: Logger
  readonly clock: Clock
  readonly lifecycle: Lifecycle
}

/**
 * Starts the audit: signs rows, and writes the rows of refused requests. Both stop before the database
 * does.
 */
export const startAudit = (
  { auditRetentionDays: retentionDays }: Config,
  { log, clock, lifecycle }: Context,
  { audit, registry }: { audit: Opened['audit']; registry: Registry },
): DeniedLog => {
  const signing = startHeadSigning({
    audit,
    clock,
    log,
    retentionDays,
    metrics: createAuditMetrics(registry),
  })
  lifecycle.onStop('signing of the audit log', 5_000, () => signing.stop())
  const denied = createDeniedLog({ audit, clock, log })
  lifecycle.onStop('denied attempts', 5_000, () => denied.stop())
  return denied
}
