// What the store is made of.
import type { Clock } from '../kernel/clock.ts'
import { gathered } from '../kernel/gathered.ts'
import type { Logger } from '../kernel/log.ts'
import type { KeyCacheOptions } from '../secrets/key-cache.ts'
import type { KeyRing } from '../secrets/key-ring.ts'
import { ProjectKeyCache } from '../secrets/project-keys.ts'
import type { SealedValueOpener } from '../secrets/sealed-place.ts'
import { Alone } from './alone.ts'
import type { Retention } from './compaction.ts'
import type { Feed } from './feed.ts'
import type { Sql } from './sql.ts'
import { Writer } from './writer.ts'

/** Bounds how many share one question. */
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
}

/** What the store and its leaders' views of it share. */
export interface StoreParts extends SqlStoreDeps {
  readonly keys: ProjectKeyCache
  readonly feed: Feed
  readonly writer: Writer
  /** undefined: nobody else can write. */
  readonly alone: Alone | undefined
  /** Resolves once the state has reached what was committed when it was asked. */
  readonly fresh: () => Promise<void>
}

/** Those who ask at the same time share one look at the counter. Alone, the state is what is stored. */
const freshBy = (alone: Alone | undefined): (() => Promise<void>) => {
  if (alone === undefined) return () => Promise.resolve()
  const ask = gathered(mostTogether, async (asked: readonly undefined[]) => {
    await alone.reach()
    return asked
  })
  return () => (alone.isSure ? Promise.resolve() : ask(undefined))
}

export const assemble = (deps: SqlStoreDeps, feed: Feed): StoreParts => {
  const { sql, keyRing: provider, clock, sealedValues } = deps
  const keys = new ProjectKeyCache(provider, { clock, ...deps.keyCache })
  const alone = sql.kind === 'pglite' ? undefined : new Alone(sql, feed)
  const fresh = freshBy(alone)
  const writer = new Writer({ sql, provider, clock, keys, feed, fresh, sealedValues })
  return { ...deps, keys, feed, writer, alone, fresh }
}
