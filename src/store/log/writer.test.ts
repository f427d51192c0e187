import { describe, expect, it } from 'vitest'
import { StagelyError } from '../../kernel/errors.ts'
import { silentLogger } from '../../kernel/log.ts'
import { createKeyRing } from '../../secrets/key-ring.ts'
import { createLocalKeyProvider } from '../../secrets/providers/local.ts'
import { ProjectKeyCache } from '../../secrets/project-keys.ts'
import { Feed } from './feed.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import { Guesses } from '../core/guesses.ts'
import { StoreState } from '../state/state.ts'
import { Writer } from './writer.ts'

/** Answers the counter row and takes everything else. */
const tx: Queryable = {
  query: <R>(text: string) =>
    Promise.resolve((text.includes('FROM counters') ? [{ rv: 1, epoch: 1 }] : []) as R[]),
  exec: () => Promise.resolve(),
}
const sql: Sql = {
  ...tx,
  kind: 'pglite',
  transaction: (fn) => fn(tx),
  listen: () => Promise.resolve(() => Promise.resolve()),
  close: () => Promise.resolve(),
}
const time = { ms: 0 }
const clock = {
  now: () => 0,
  monotonic: () => time.ms,
  sleep: () => new Promise<void>(() => undefined),
}

const actor = { name: 'a', source: 'api', authority: 'whole' as const }

const makeWriter = (database = sql): Writer => {
  const provider = createKeyRing(createLocalKeyProvider(Buffer.alloc(32)), [], clock)
  const state = new StoreState({ rv: 1, epoch: 1 })
  const load = (): Promise<StoreState> => Promise.resolve(state)
  const unused = { noteLoss: () => Promise.resolve(), onOutdated: () => undefined }
  const own = { sql: database, replica: 'one', clock, log: silentLogger, load }
  const feed = new Feed({ ...own, ...unused }, state)
  const keys = new ProjectKeyCache(provider, { clock })
  return new Writer({
    sql: database,
    clock,
    feed,
    provider,
    keys,
    lastSteps: [],
    guesses: new Guesses(clock),
    fresh: () => Promise.resolve(),
  })
}

describe('Writer', () => {
  // A write begun at the very moment in which the writer comes to rest must not be forgotten.
  it.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 15])(
    'runs a write begun %i steps after the last one ended',
    async (steps) => {
      const writer = makeWriter()
      const last = writer.run(actor, {}, () => Promise.resolve('first'))
      const next = last.then(async () => {
        for (let i = 0; i < steps; i++) await Promise.resolve()
        return writer.run(actor, {}, () => Promise.resolve('second'))
      })
      expect(await next).toBe('second')
      await writer.idle()
    },
  )

  // The embedded database computes in this thread: without this each write would be a commit of its own.
  it('puts writes that arrive in one turn of the event loop into one commit', async () => {
    const writer = makeWriter()
    const steps: string[] = []
    const write = async (name: string): Promise<void> => {
      await writer.run(actor, {}, () => Promise.resolve(steps.push(`runs ${name}`)))
      steps.push(`answers ${name}`)
    }
    const first = write('a')
    for (let i = 0; i < 50; i++) await Promise.resolve()
    await Promise.all([first, write('b')])
    expect(steps).toEqual(['runs a', 'runs b', 'answers a', 'answers b'])
  })

  it('serves others before who has held it for long, and each in the order of its writes', async () => {
    const writer = makeWriter()
    const steps: string[] = []
    const write = (id: string, name: string, ms: number): Promise<unknown> =>
      writer.run({ ...actor, id }, {}, () => {
        time.ms += ms
        return Promise.resolve(steps.push(name))
      })
    const heavy = [1, 2, 3].map((i) => write('heavy', `heavy ${i}`, 200))
    await heavy[0]
    const others = ['a', 'b', 'c'].map((id) => write(id, id, 1))
    await Promise.all([...heavy, ...others])
    expect(steps).toEqual(['heavy 1', 'a', 'b', 'c', 'heavy 2', 'heavy 3'])
    time.ms += 1_000
    const rested = [write('heavy', 'first again', 1), write('a', 'a again', 1)]
    await Promise.all(rested)
    expect(steps.slice(-2)).toEqual(['first again', 'a again'])
  })

  it('tells how long the oldest write waits, and of none once the database has refused it', async () => {
    let refuse: ((error: Error) => void) | undefined
    const silent: Sql = {
      ...sql,
      transaction: () => new Promise((_resolve, reject) => (refuse = reject)),
    }
    const writer = makeWriter(silent)
    const write = writer.run(actor, {}, (session) => Promise.resolve(session.tx))
    // The write asks for a transaction, and is run again in one.
    await expect.poll(() => refuse).toBeDefined()
    const before = writer.oldestWaitMs
    time.ms += 20_000
    expect(writer.oldestWaitMs).toBe(before + 20_000)
    refuse?.(new StagelyError('ServiceUnavailable', 'the database cannot be reached'))
    await expect(write).rejects.toThrow('cannot be reached')
    await writer.idle()
    time.ms += 60_000
    // No write comes after it, as to a replica that the balancer has given up.
    expect(writer.oldestWaitMs).toBe(0)
  })

  // A client that has given up may have written a newer value meanwhile.
  it('leaves out a write that has not begun when its client goes', async () => {
    const writer = makeWriter()
    const steps: string[] = []
    let end = (): void => undefined
    const first = writer.run(actor, {}, async () => {
      steps.push('first')
      await new Promise<void>((resolve) => (end = resolve))
    })
    let isGone = false
    const client = { ...actor, hasGone: () => isGone }
    const second = writer.run(client, {}, () => Promise.resolve(steps.push('second')))
    await expect.poll(() => steps).toEqual(['first'])
    isGone = true
    end()
    await first
    await expect(second).rejects.toThrow('has gone')
    expect(steps).toEqual(['first'])
  })
})
