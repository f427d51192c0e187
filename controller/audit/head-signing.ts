// The loop that signs the audit rows of this process, each second where there are new ones and once more at its
// end. Now and then it prunes old ones.
import type { Gauge, Counter } from 'prom-client'
import type { SignedHead } from '../../src/audit/record.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { waitFor } from '../../src/runtime/control-loop.ts'
import { startSingleLoop } from '../../src/runtime/single-loop.ts'
import type { AuditLog } from '../../src/store/audit/audit-log.ts'

const everyMs = 1_000
const retryMs = 5_000
/** The head goes to the log this often at most: what cuts off rows must cut off the log too. */
const logEveryMs = 60_000
const pruneEveryMs = 3_600_000
const dayMs = 86_400_000
const revokedKeptDays = 90

export interface HeadMetrics {
  readonly sequence: Gauge
  readonly prefix: Gauge
  readonly failures: Counter
}

interface HeadSigning {
  stop(): Promise<void>
}

interface HeadSigningDeps {
  readonly audit: AuditLog
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: HeadMetrics
  /** Rows older than this are pruned; undefined keeps all. */
  readonly retentionDays: number | undefined
}

/** First 6 bytes of a hash as a number: a metric's history then tells which chain it was. */
const hashPrefix = (hash: string): number =>
  hash === '' ? 0 : Buffer.from(hash, 'base64url').readUIntBE(0, 6)

export const startHeadSigning = (deps: HeadSigningDeps): HeadSigning => {
  const { audit, clock, log, metrics } = deps
  let logged = { seq: -1, at: 0 }
  let head: SignedHead | undefined
  let prunedAt = 0

  const tellHead = (force: boolean): void => {
    if (head === undefined || head.seq === logged.seq) return
    if (!force && clock.now() - logged.at < logEveryMs) return
    const { seq, hash, signature, public_key: publicKey } = head
    log.info({ seq, hash, signature, publicKey }, 'audit head')
    logged = { seq, at: clock.now() }
  }

  const sign = async (): Promise<void> => {
    head = await audit.sign()
    metrics.sequence.set(head.seq)
    metrics.prefix.set(hashPrefix(head.hash))
    tellHead(false)
  }

  const prune = async (): Promise<void> => {
    if (clock.now() - prunedAt < pruneEveryMs) return
    prunedAt = clock.now()
    await audit.forgetRevokedTokens(clock.now() - revokedKeptDays * dayMs)
    if (deps.retentionDays === undefined) return
    const rows = await audit.prune(clock.now() - deps.retentionDays * dayMs)
    if (rows > 0) log.info({ rows }, 'old audit rows pruned')
  }

  /** False where it failed. */
  const round = async (): Promise<boolean> => {
    try {
      if (audit.isUnsigned) await sign()
      await prune()
      tellHead(false)
      return true
    } catch (error) {
      metrics.failures.inc()
      log.error({ err: messageOf(error) }, 'signing the audit log failed')
      return false
    }
  }

  const loop = startSingleLoop(deps, {
    name: 'audit head',
    run: async () => waitFor((await round()) ? everyMs : retryMs),
  })
  loop.runNow()
  return {
    stop: async () => {
      await loop.stop()
      await round()
      tellHead(true)
    },
  }
}
