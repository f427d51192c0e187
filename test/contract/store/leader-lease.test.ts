// The lease and the fence on a real server: several stores on one database, as several controllers.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { apiVersion } from '../../../src/resources/meta.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { DatabaseRelay } from '../../support/databases/database-relay.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'

const actor = { name: 'tester', source: 'system', authority: 'whole' as const }
const [idA, idB] = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b']

const createProject = (store: Store, name: string): Promise<unknown> =>
  store.write(actor, {}, (tx) =>
    tx.create({
      apiVersion,
      kind: 'Project',
      metadata: { namespace: 'default', name },
      spec: {},
    }),
  )
const exists = async (store: Store, name: string): Promise<boolean> =>
  (await store.get({ kind: 'Project', namespace: 'default', name })) !== undefined

describe('the lease of the leader', () => {
  let a: TestStore
  let b: Opened
  beforeAll(async () => {
    a = await openTestStore(inject('postgresUrl'))
    b = await a.again()
  })
  afterAll(() => a.destroy())

  /** Polls as a controller does; returns the term and how long it took (ms). */
  const takeOver = async (): Promise<{ term: number; ms: number }> => {
    const begun = performance.now()
    for (;;) {
      const term = await b.lease!.acquire(idB).catch(() => undefined)
      if (term !== undefined) return { term, ms: performance.now() - begun }
      await realClock.sleep(100)
    }
  }

  it('is one replica’s, whose writes carry its term', async () => {
    const terms = await Promise.all([a.lease!.acquire(idA), b.lease!.acquire(idB)])
    expect(terms.filter((term) => term !== undefined)).toEqual([1])
    const [holder, other] = terms[0] === 1 ? [idA, idB] : [idB, idA]
    expect(await a.lease!.renew(other, 1)).toBe(false)
    expect(await a.lease!.renew(holder, 1)).toBe(true)
    await createProject(a.store.asLeader(1), 'led')
    await createProject(b.store, 'anybody')
    const rows = await a.sql.query<{ name: string; term: number | null }>(
      "SELECT name, term FROM changes WHERE kind = 'Project' ORDER BY rv",
    )
    expect(rows).toEqual([
      { name: 'led', term: 1 },
      { name: 'anybody', term: null },
    ])
    await a.lease!.release(holder, 1)
  })

  it('lets its holder read what this replica knows, without a question to the database', async () => {
    const relay = await DatabaseRelay.start(a.databaseUrl!)
    const c = await a.again({ databaseUrl: relay.url })
    try {
      expect(await exists(c.store, 'led')).toBe(true)
      relay.setRefusing(true)
      expect(await exists(c.store.asLeader(1), 'led')).toBe(true)
      await expect(exists(c.store, 'led')).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    } finally {
      relay.setRefusing(false)
      await c.close()
      await relay.close()
    }
  })

  it('says when it may be taken', async () => {
    expect(await b.lease!.freeIn()).toBe(0)
    const term = (await a.lease!.acquire(idA))!
    const left = await b.lease!.freeIn()
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(2_000)
    await a.lease!.release(idA, term)
    expect(await b.lease!.freeIn()).toBe(0)
  })

  it('is renewed while a write holds the lock that all writes take', async () => {
    const term = (await a.lease!.acquire(idA))!
    let renewed: boolean | undefined
    await b.store.write(actor, {}, async () => {
      renewed = await a.lease!.renew(idA, term)
    })
    expect(renewed).toBe(true)
    await a.lease!.release(idA, term)
  })

  it('passes on when it runs out, and nothing that the old leader writes counts', async () => {
    const term = (await a.lease!.acquire(idA))!
    const old = a.store.asLeader(term)
    await createProject(old, 'before')
    const next = await takeOver()
    expect(next.term).toBe(term + 1)
    expect(next.ms).toBeGreaterThan(1_500)
    expect(next.ms).toBeLessThan(5_000)
    expect(await a.lease!.renew(idA, term)).toBe(false)
    await expect(createProject(old, 'after')).rejects.toMatchObject({ reason: 'Conflict' })
    await expect(old.compact(realClock.now())).rejects.toMatchObject({ reason: 'Conflict' })
    expect(await exists(b.store, 'after')).toBe(false)
    // Users' writes go on, in the same process too.
    await createProject(a.store, 'mine')
    await b.lease!.release(idB, next.term)
  })

  it('refuses a write that waited for the lock while the leader was replaced', async () => {
    const term = (await a.lease!.acquire(idA))!
    const old = a.store.asLeader(term)
    await a.lease!.release(idA, term)
    let late: Promise<unknown> | undefined
    await b.sql.transaction(async (tx) => {
      // What acquire() does, with a write of the old leader queued behind it.
      await tx.query('SELECT term FROM counters FOR UPDATE')
      late = createProject(old, 'late').catch((error: unknown) => error)
      await realClock.sleep(300)
      await tx.query('UPDATE counters SET term = term + 1')
    })
    expect(await late).toMatchObject({ reason: 'Conflict' })
    expect(await exists(b.store, 'late')).toBe(false)
  })

  it('passes on within 5 s from a leader that stands still in the middle of a write', async () => {
    const term = (await a.lease!.acquire(idA))!
    let goOn: () => void = () => undefined
    const standing = new Promise<void>((resolve) => (goOn = resolve))
    const stuck = a.store
      .asLeader(term)
      .writeWithSession(actor, async (session, tx) => {
        await tx.create({
          apiVersion,
          kind: 'Project',
          metadata: { namespace: 'default', name: 'half' },
          spec: {},
        })
        // From here on the counter row is held.
        await session.tx.query('SELECT 1')
        await standing
      })
      .catch((error: unknown) => error)
    const next = await takeOver()
    expect(next.ms).toBeLessThan(5_000)
    goOn()
    expect(await stuck).toMatchObject({ reason: 'ServiceUnavailable' })
    expect(await exists(b.store, 'half')).toBe(false)
    await createProject(a.store, 'afterwards')
    await b.lease!.release(idB, next.term)
  })
})
