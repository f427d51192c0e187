// The parts of the store.
import type { Clock } from '../kernel/clock.ts'
import { gathered } from '../kernel/gathered.ts'
import type { Logger } from '../kernel/log.ts'
import type { KeyCacheOptions } from '../secrets/key-cache.ts'
import type { KeyRing } from '../secrets/key-ring.ts'
import { ProjectKeyCache } from '../secrets/project-keys.ts'
import type { SealedValueOpener } from '../secrets/sealed-place.ts'
import { Alone } from './log/sole-replica.ts'
import type { Retention } from './compaction.ts'
import type { Feed } from './log/feed.ts'
import type { Sql } from './drivers/sql.ts'
import { Writer } from './log/writer.ts'

/** Most reads that share one question. */
const mostTogether = 1_000

export interface SqlStoreDeps {
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
  /** See FeedDeps. */
  readonly onOutdated: () => void
}

/** Writes of a leader name its term, and fail once another leader has begun. */
export interface Fence {
  readonly term?: number
}

/** The parts that the store and a leader's view of it share. */
export interface StoreParts extends SqlStoreDeps {
  readonly keys: ProjectKeyCache
  readonly feed: Feed
  readonly writer: Writer
  /** Undefined on the embedded database, where there is no other replica. */
  readonly alone: Alone | undefined
  /** Resolves once the state has all commits of before the call. */
  readonly fresh: () => Promise<void>
}

/** Reads that wait at the same time share one look at the counter row. */
const freshBy = (alone: Alone | undefined): (() => Promise<void>) => {
  if (alone === undefined) return () => Promise.resolve()
  const ask = gathered(mostTogether, async (asked: readonly undefined[]) => {
    await alone.reach()
    return asked
  })
  return () => (alone.isSure ? Promise.resolve() : ask(undefined))
}

export const assemble = (deps: SqlStoreDeps, feed: Feed): StoreParts => {
  const { sql, keyRing: provider, clock, sealedValues, mailDomains } = deps
  const keys = new ProjectKeyCache(provider, { clock, ...deps.keyCache })
  const alone = sql.kind === 'pglite' ? undefined : new Alone(sql, feed)
  const fresh = freshBy(alone)
  const writer = new Writer({ sql, provider, clock, keys, feed, fresh, sealedValues, mailDomains })
  return { ...deps, keys, feed, writer, alone, fresh }
}
