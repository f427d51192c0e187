// Dependencies of the REST API's handlers.
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { TestNotifier } from '../../notify/try-notifier.ts'
import type { ListKeys } from '../../stores/list-keys.ts'
import type { ActivityLog } from '../../../src/store/activity/activity-log.ts'
import type { AuditLog } from '../../../src/store/audit/audit-log.ts'
import type { KeyStore } from '../../../src/store/keys/key-store.ts'
import type { CallerStore } from '../../../src/store/caller-store.ts'
import type { Actor } from '../../../src/store/store.ts'
import type { AgentAccessDeps } from '../kube/agent-access.ts'
import type { AgentTasks } from '../../orders/tasks.ts'
import type { MatchLimit } from '../rate-limit.ts'
import type { LogRelay } from '../../orders/log-relay.ts'
import type { People } from './people/shapes.ts'
import type { SessionRouteDeps } from './sessions/deps.ts'

/** The keys with which people make `sealedValue`. */
interface SealingDeps {
  readonly current: { readonly id: string; readonly publicKey: string }
  /** Reads keys that another replica has created. */
  refresh(): Promise<void>
  rotate(actor: Actor): Promise<{ readonly id: string; readonly publicKey: string }>
}

export interface RestDeps extends AgentAccessDeps {
  readonly store: CallerStore
  readonly activity: ActivityLog
  readonly audit: AuditLog
  readonly people: People
  readonly keys: KeyStore
  /** Audited; a gzip file as a stream. */
  readonly takeBackup: (actor: Actor) => Promise<ReadableStream<Uint8Array>>
  readonly clock: Clock
  readonly log: Logger
  /** The fault of the disk; undefined: writes are possible. */
  readonly disk: () => Promise<string | undefined>
  readonly sealing: SealingDeps
  readonly logs: Pick<LogRelay, 'open'>
  /** Where on the machines values lie, and what stacks have printed. */
  readonly tasks: Pick<AgentTasks, 'look' | 'countPrinted'>
  /** Of words that scanners ask for. */
  readonly matchLimit: MatchLimit
  readonly sessions: SessionRouteDeps
  /** Names of secrets in a store elsewhere, for an import. */
  readonly listKeys: ListKeys
  readonly testNotifier: TestNotifier
}
