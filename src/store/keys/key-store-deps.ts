// What the parts of the key store share.
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/log.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import type { Sql } from '../drivers/sql.ts'
import type { Store } from '../store.ts'

export interface KeyStoreDeps {
  readonly sql: Sql
  readonly store: Store
  readonly keyRing: KeyRing
  readonly clock: Clock
  readonly log: Logger
  readonly rotationMs: number
  readonly rotatesKeys: boolean
}
