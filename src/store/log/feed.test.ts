import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../test/support/fake-clock.ts'
import { genesis } from '../../audit/texts.ts'
import { silentLogger } from '../../kernel/log.ts'
import { changeEvent, type LoggedChange } from '../core/change-event.ts'
import { Feed, type OwnCommit } from './feed.ts'
import { pageSize } from './follow.ts'
import type { Sql } from '../drivers/sql.ts'
import { StoreState } from '../state/state.ts'

const eventOf = (resourceVersion: number): LoggedChange =>
  changeEvent({
    id: `Agent/a/e${resourceVersion}`,
    resourceVersion,
    type: 'ADDED',
    text: '{}',
    previous: undefined,
  })

const commitOf = (...versions: number[]): OwnCommit => ({
  delta: { objects: [], projects: [], heads: [], deletedSecrets: [], removedNamespaces: [] },
  events: versions.map(eventOf),
  rv: versions.at(-1)!,
  chain: genesis,
  tip: undefined,
})

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A feed at version 9 over a table of `stored` versions. */
const start = async (stored: readonly number[]) => {
  const asked: unknown[] = []
  let hear: (payload: string) => void = () => undefined
  const row = (rv: number | null): object => ({
    head: Math.max(9, ...stored),
    compacted: 0,
    rv,
    type: 'ADDED',
    body: '{}',
    kind: 'Agent',
    namespace: 'a',
    name: `e${rv}`,
    uid: `${rv}`,
    source: 'system',
    previous: null,
    state: null,
  })
  const sql: Sql = {
    kind: 'postgres',
    query: <R>(_text: string, params: readonly unknown[] = []) => {
      asked.push(params[0])
      const page = stored.filter((rv) => rv > Number(params[0])).slice(0, pageSize)
      const rows = page.map(row)
      return Promise.resolve((rows.length === 0 ? [row(null)] : rows) as R[])
    },
    exec: () => Promise.resolve(),
    transaction: () => Promise.reject(new Error('a feed only reads')),
    listen: (_channel, onNotify) => {
      hear = onNotify
      return Promise.resolve(() => Promise.resolve())
    },
    close: () => Promise.resolve(),
  }
  const load = (): Promise<StoreState> => Promise.resolve(new StoreState({ rv: 9, epoch: 1 }))
  const unused = { noteLoss: () => Promise.resolve(), onOutdated: () => undefined }
  const deps = { sql, replica: 'one', clock: createFakeClock(), log: silentLogger, load, ...unused }
  const feed = new Feed(deps, await load())
  await feed.start()
  const shown: number[] = []
  const stopping = new AbortController()
  const watching = (async () => {
    for await (const events of feed.watch(9, stopping.signal))
      shown.push(...events.map((event) => event.resourceVersion))
  })()
  const stop = async (): Promise<void> => {
    stopping.abort()
    await watching
  }
  return {
    feed,
    asked,
    shown,
    stop,
    hear: (payload: string) => {
      hear(payload)
    },
  }
}

describe('Feed', () => {
  it('takes what this process commits, and asks nothing when it hears of it', async () => {
    const { feed, asked, shown, hear, stop } = await start([10, 11])
    hear(feed.origin)
    feed.append(9, commitOf(10, 11))
    hear(feed.origin)
    await settle()
    expect(shown).toEqual([10, 11])
    expect(asked).toEqual([])
    await stop()
  })

  it('reads what others commit, and what lies between', async () => {
    const { feed, asked, shown, hear, stop } = await start([10, 11, 12])
    feed.append(11, commitOf(12))
    await settle()
    hear('another')
    await settle()
    expect(shown).toEqual([10, 11, 12])
    expect(asked).toEqual([9, 12])
    await stop()
  })

  it('shows once what it reads before the commit is handed over', async () => {
    const { feed, shown, hear, stop } = await start([10, 11])
    hear('another')
    await settle()
    feed.append(9, commitOf(10))
    feed.append(11, commitOf(12))
    await settle()
    expect(shown).toEqual([10, 11, 12])
    await stop()
  })

  it('never stops within a commit that is longer than a page', async () => {
    const all = Array.from({ length: pageSize + 500 }, (_, i) => 10 + i)
    const { feed, asked, shown, stop } = await start(all)
    await feed.reach({ rv: 10, tip: null }, 9)
    expect(feed.state.rv).toBe(all.at(-1))
    expect(asked).toEqual([9, all[pageSize - 1]])
    await settle()
    expect(shown).toEqual(all)
    await stop()
  })
})
