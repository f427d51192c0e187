// The parts that the store is made of.
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/log.ts'
import type { KeyCacheOptions } from '../secrets/key-cache.ts'
import type { KeyRing } from '../secrets/key-ring.ts'
import { ProjectKeyCache } from '../secrets/project-keys.ts'
import type { SealedValueOpener } from '../secrets/sealed-place.ts'
import { noteLoss } from './log/lost-commits.ts'
import type { Retention } from './compaction.ts'
import { Guesses } from './core/guesses.ts'
import type { Sql } from './drivers/sql.ts'
import { Feed } from './log/feed.ts'
import { loadState } from './log/load.ts'
import type { LastStep } from './log/run-write.ts'
import { SoleReplica } from './log/sole-replica.ts'
import { Writer } from './log/writer.ts'

export interface StoreDeps {
  readonly sql: Sql
  /** See FeedDeps. */
  readonly replica: string
  readonly keyRing: KeyRing
  /** How long unwrapped keys stay in memory; see KeyCacheOptions. */
  readonly keyCache?: Omit<KeyCacheOptions, 'clock'>
  readonly clock: Clock
  readonly log: Logger
  readonly retention: Retention
  readonly sealedValues?: SealedValueOpener | undefined
  readonly mailDomains?: readonly string[] | undefined
  /** How many controllers there are. */
  readonly replicas: () => number
  /** See FeedDeps. */
  readonly onOutdated: () => void
  /** They end each write, in this order. */
  readonly lastSteps: readonly LastStep[]
}

/** Writes of a leader name its term, and fail once another leader has begun. */
export interface Fence {
  readonly term?: number
}

/** The parts that the store and a leader's view of it share. */
export interface StoreParts extends StoreDeps {
  readonly keys: ProjectKeyCache
  readonly feed: Feed
  readonly writer: Writer
  /** Undefined on the embedded database, where there is no other replica. */
  readonly soleReplica: SoleReplica | undefined
  /** Resolves once the state has all commits that were made before the call. */
  readonly fresh: () => Promise<void>
  readonly guesses: Guesses
}

export const startParts = async (deps: StoreDeps): Promise<StoreParts> => {
  const { sql, keyRing: provider, clock, sealedValues, mailDomains, lastSteps } = deps
  const feed = await Feed.open({
    ...deps,
    load: () => loadState(sql),
    noteLoss: (state) => noteLoss(sql, deps, state),
  })
  const keys = new ProjectKeyCache(provider, { clock, ...deps.keyCache })
  const soleReplica = sql.kind === 'pglite' ? undefined : new SoleReplica(sql, feed)
  const fresh = (): Promise<void> => soleReplica?.fresh() ?? Promise.resolve()
  const guesses = new Guesses(clock, deps.replicas)
  const session = { sql, provider, clock, keys, sealedValues, mailDomains, guesses }
  const writer = new Writer({ ...session, lastSteps, feed, fresh })
  return { ...deps, keys, feed, writer, soleReplica, fresh, guesses }
}
