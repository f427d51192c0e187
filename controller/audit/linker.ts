// The loop that links audit rows: wakes on rows of this process, gathers a moment, links all that
// wait. Where nothing is new it does nothing but look, now and then, for rows of a replica that died.
import type { Gauge, Counter } from 'prom-client'
import type { SignedHead } from '../../src/audit/record.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { endingWith } from '../../src/kernel/ending.ts'
import { isAbort, messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { AuditLog } from '../../src/store/audit/audit-log.ts'

const gatherMs = 400
const lookEveryMs = 10_000
const retryMs = 5_000
/** The head goes to the log this often at most: what cuts off rows must cut off the log too. */
const logEveryMs = 60_000
const pruneEveryMs = 3_600_000
const dayMs = 86_400_000
const revokedKeptDays = 90

export interface LinkerMetrics {
  readonly sequence: Gauge
  readonly prefix: Gauge
  readonly failures: Counter
}

export interface Linker {
  stop(): Promise<void>
}

export interface LinkerDeps {
  readonly audit: AuditLog
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: LinkerMetrics
  /** Rows older than this are pruned; undefined keeps all. */
  readonly retentionDays: number | undefined
}

/** First 6 bytes of a hash as a number: a metric's history then tells which chain it was. */
const hashPrefix = (hash: string): number =>
  hash === '' ? 0 : Buffer.from(hash, 'base64url').readUIntBE(0, 6)

export const startLinker = (deps: LinkerDeps): Linker => {
  const { audit, clock, log, metrics } = deps
  const stopping = new AbortController()
  let wake = new AbortController()
  let logged = { seq: -1, at: 0 }
  let head: SignedHead | undefined
  let prunedAt = 0

  audit.onRows(() => {
    wake.abort()
  })

  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    clock.sleep(ms, signal).catch((error: unknown) => {
      if (!isAbort(error)) throw error
    })

  const tellHead = (force: boolean): void => {
    if (head === undefined || head.seq === logged.seq) return
    if (!force && clock.now() - logged.at < logEveryMs) return
    const { seq, hash, signature, public_key: publicKey } = head
    log.info({ seq, hash, signature, publicKey }, 'audit head')
    logged = { seq, at: clock.now() }
  }

  const link = async (): Promise<void> => {
    head = await audit.link()
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

  /** Returns how long to sleep, unless there are new rows before. */
  const round = async (): Promise<number> => {
    try {
      if (head === undefined || (await audit.pending())) await link()
      await prune()
      return lookEveryMs
    } catch (error) {
      metrics.failures.inc()
      log.error({ err: messageOf(error) }, 'linking the audit log failed')
      return -1
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      wake.abort()
      wake = endingWith(stopping.signal)
      const ms = await round()
      tellHead(false)
      if (ms < 0) await sleep(retryMs, stopping.signal)
      else {
        await sleep(ms, wake.signal)
        if (wake.signal.aborted) await sleep(gatherMs, stopping.signal)
      }
    }
    await round()
    tellHead(true)
  }
  const running = run()

  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
