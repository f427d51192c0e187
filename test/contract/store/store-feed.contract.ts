// What the store promises of watching, of its keys, and of those who may come in.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChangeEvent, Store } from '../../../src/store/store.ts'
import { listenerName } from '../../../src/store/drivers/sql.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import { bundled } from '../../support/bundled.ts'
import { shortLived } from '../../support/short-lived.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  objectOf,
  secretOf,
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

interface Watching {
  readonly events: ChangeEvent[]
  /** Resolves when `count` events came; fails after 10 s. */
  until(count: number): Promise<ChangeEvent[]>
  stop(): Promise<void>
}

const watch = (store: Store, after: number): Watching => {
  const stopping = new AbortController()
  const events: ChangeEvent[] = []
  let failure: unknown
  const running = (async () => {
    for await (const batch of store.watch(after, stopping.signal)) events.push(...batch)
  })().catch((error: unknown) => (failure = error))
  return {
    events,
    until: async (count) => {
      await expect
        .poll(() => (failure === undefined ? events.length : -1), { interval: 5 })
        .toBeGreaterThanOrEqual(count)
      return events
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

const versionsOf = (events: readonly ChangeEvent[]): number[] =>
  events.map((e) => e.resourceVersion)
const rising = (versions: readonly number[]): boolean =>
  versions.every((v, i) => i === 0 || v > versions[i - 1]!)

export const feedContract = (name: string, open: OpenStore): void => {
  describe(`change feed and opening on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    it('tells every change once, in order, with what was there before', async () => {
      const { ns } = await createShop(t.store)
      const watching = watch(t.store, await t.store.currentVersion())
      const made = await createAs(t.store, api, {
        ...objectOf('Project', ns, 'p'),
        metadata: { name: 'p', namespace: ns, labels: { a: '1' } },
      })
      const relabelled = await updateAs(t.store, api, {
        ...made,
        metadata: { ...made.metadata, labels: { a: '2' } },
      })
      await t.store.write(api, {}, (tx) => tx.remove({ kind: 'Project', namespace: ns, name: 'p' }))
      const events = await watching.until(3)
      expect(events.map((e) => [e.type, e.previous])).toEqual([
        ['ADDED', undefined],
        ['MODIFIED', made],
        ['DELETED', relabelled],
      ])
      const second = await t.sql.query<{ previous: string }>(
        'SELECT previous FROM changes WHERE rv = $1',
        [events[1]?.resourceVersion],
      )
      expect(JSON.parse(second[0]!.previous)).toEqual(made)
      expect(events[0]?.object).toEqual(made)
      expect(events[1]?.object).toEqual(relabelled)
      expect(rising(versionsOf(events))).toBe(true)
      await watching.stop()
    })

    it('shows a local change before the writer goes on', async () => {
      const { ns } = await createShop(t.store)
      const watching = watch(t.store, await t.store.currentVersion())
      await createAs(t.store, api, objectOf('Project', ns, 'p'))
      await new Promise((resolve) => setImmediate(resolve))
      expect(watching.events).toHaveLength(1)
      await watching.stop()
    })

    it('replays from any version that is kept, without gap or double', async () => {
      const { ns } = await createShop(t.store)
      const start = await t.store.currentVersion()
      for (let i = 0; i < 10; i++) await createAs(t.store, api, objectOf('Project', ns, `p${i}`))
      const all = versionsOf(await watch(t.store, start).until(10))
      const late = watch(t.store, all[4]!)
      await createAs(t.store, api, objectOf('Project', ns, 'p10'))
      expect(versionsOf(await late.until(6)).slice(0, 5)).toEqual(all.slice(5))
      await late.stop()
    })

    it('shows nothing of dry runs and failed writes', async () => {
      const { ns } = await createShop(t.store)
      const watching = watch(t.store, await t.store.currentVersion())
      await Promise.allSettled([
        t.store.write(api, { dryRun: true }, (tx) => tx.create(objectOf('Project', ns, 'dry'))),
        createAs(t.store, api, objectOf('Project', ns, 'real')),
        t.store.write(api, {}, async (tx) => {
          await tx.create(objectOf('Project', ns, 'lost'))
          throw new Error('no')
        }),
      ])
      await createAs(t.store, api, objectOf('Project', ns, 'last'))
      const events = await watching.until(2)
      expect(events.map((e) => e.object.metadata.name)).toEqual(['real', 'last'])
      await watching.stop()
    })

    it('misses nothing while many write and watch', async () => {
      const { ns } = await createShop(t.store)
      const start = await t.store.currentVersion()
      const watchers = [watch(t.store, start), watch(t.store, start)]
      const writer = async (id: number): Promise<void> => {
        for (let i = 0; i < 10; i++)
          await createAs(t.store, api, objectOf('Project', ns, `w${id}-${i}`))
      }
      const writing = [0, 1, 2, 3, 4, 5, 6, 7].map(writer)
      await watchers[0]!.until(20)
      watchers.push(watch(t.store, start))
      await Promise.all(writing)
      for (const watcher of watchers) {
        const versions = versionsOf(await watcher.until(80))
        expect(versions).toEqual(Array.from({ length: 80 }, (_, i) => start + 1 + i))
        await watcher.stop()
      }
    })

    it('ends a watch when it is aborted, and at once when it already was', async () => {
      const watching = watch(t.store, await t.store.currentVersion())
      await watching.stop()
      for await (const _ of t.store.watch(0, AbortSignal.abort())) expect.unreachable()
    })

    it('says Expired for a version that is no longer kept, and keeps the newest 1,000', async () => {
      const { ns } = await createShop(t.store)
      const old = await t.store.currentVersion()
      await t.store.write(api, {}, async (tx) => {
        for (let i = 0; i < 1005; i++) await tx.create(objectOf('Project', ns, `q${i}`))
      })
      await t.store.compact(clock.now() + 599_000)
      expect(await t.sql.query('SELECT 1 FROM changes WHERE rv <= $1 LIMIT 1', [old])).toHaveLength(
        1,
      )
      await t.store.compact(clock.now() + 601_000)
      const again = t.databaseUrl === undefined ? t.store : (await t.again()).store
      const watchFrom = async (version: number): Promise<number> => {
        for await (const batch of again.watch(version, AbortSignal.timeout(5_000)))
          return batch.length
        return 0
      }
      const newest = await t.store.currentVersion()
      expect(await watchFrom(newest - 1000)).toBeGreaterThan(0)
      if (t.databaseUrl !== undefined) {
        await expect(watchFrom(old - 1)).rejects.toMatchObject({ reason: 'Expired' })
      }
      // What memory still holds is no reason to say no; version 1 is in neither.
      await expect(watchFrom(0)).rejects.toMatchObject({ reason: 'Expired' })
    })

    // Closes the store of a folder.
    it('refuses another master key, naming both, and touches nothing', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'a', { value: 'still here' }))
      await t.store.closeDueRevisions(Number.MAX_SAFE_INTEGER)
      const version = await t.store.currentVersion()
      if (t.databaseUrl === undefined) await t.close()
      const other = t.again({ masterKey: Buffer.alloc(32, 1) })
      await expect(other).rejects.toThrow(
        /needs local key [0-9a-f]{16}, but the key given is local key [0-9a-f]{16}.*STAGELY_SECRET_KEY/,
      )
      const again = await t.again()
      expect(await again.store.currentVersion()).toBe(version)
      const opened = await again.store.openSet(projectUid, 1, { stagelet: 's', agent: 'a' })
      expect(opened[0]?.value.toString()).toBe('still here')
      await again.close()
    })
  })

  describe(`agents, tokens and settings on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    const key = (): string => randomBytes(32).toString('base64url')
    const prepare = async (ttlMs = 60_000) => {
      const { ns } = await createShop(t.store)
      const token = await t.agents.createJoinToken({
        namespace: ns,
        name: 'box',
        ttlMs,
        actor: api,
      })
      const keys = { ed25519: key(), x25519: key() }
      const input = { ...token, namespace: ns, name: 'box', ...keys, counter: 1 }
      return { ns, input, ref: { kind: 'Agent', namespace: ns, name: 'box' } }
    }

    it('lets an agent join once, and answers again when the answer was lost', async () => {
      const { ns, input, ref } = await prepare()
      const agent = await t.store.get(ref)
      const joined = await t.agents.join(input)
      expect(joined).toEqual({ agentUid: agent?.metadata.uid })
      expect(await t.agents.join({ ...input, counter: 2 })).toEqual(joined)
      await expect(t.agents.join({ ...input, counter: 2 })).rejects.toThrow(/came before/)
      await expect(t.agents.join(input)).rejects.toThrow(/came before/)
      expect(await t.agents.keysOf(joined.agentUid)).toEqual({
        namespace: ns,
        name: 'box',
        ed25519: input.ed25519,
        x25519: input.x25519,
      })
      await expect(t.agents.join({ ...input, ed25519: key() })).rejects.toMatchObject({
        reason: 'Unauthorized',
        message: expect.stringMatching(/was used already/) as string,
      })
    })

    it('refuses a token that is wrong, for another, expired, or of a deleted agent', async () => {
      const { ns, input, ref } = await prepare()
      const reasons: [object, RegExp][] = [
        [{ tokenId: 'x' }, /not known/],
        [{ tokenSecret: key() }, /not known/],
        [{ name: 'other' }, /another agent/],
        [{ namespace: 'default' }, /another agent/],
      ]
      for (const [change, message] of reasons) {
        const attempt = t.agents.join({ ...input, ...change })
        await expect(attempt).rejects.toMatchObject({ reason: 'Unauthorized' })
        await expect(attempt).rejects.toThrow(message)
      }
      await expect(t.agents.join({ ...input, x25519: 'short' })).rejects.toMatchObject({
        reason: 'BadRequest',
      })
      clock.step(60_000)
      await expect(t.agents.join(input)).rejects.toThrow(/expired/)
      const again = await t.agents.createJoinToken({
        namespace: ns,
        name: 'box',
        ttlMs: 9e6,
        actor: api,
      })
      await t.store.write(api, {}, (tx) => tx.remove(ref))
      await expect(t.agents.join({ ...input, ...again })).rejects.toMatchObject({
        reason: 'Unauthorized',
      })
    })

    it('gives a name to nobody else until it is revoked, and then at once', async () => {
      const { ns, input, ref } = await prepare()
      const { agentUid } = await t.agents.join(input)
      const second = await t.agents.createJoinToken({
        namespace: ns,
        name: 'box',
        ttlMs: 60_000,
        actor: api,
      })
      const thief = { ...input, ...second, ed25519: key(), x25519: key() }
      await expect(t.agents.join(thief)).rejects.toMatchObject({ reason: 'Conflict' })
      await t.agents.revoke(ref, api)
      expect(await t.agents.keysOf(agentUid)).toBeUndefined()
      expect((await t.store.get(ref))?.status).toMatchObject({
        conditions: [{ type: 'Ready', status: 'False', reason: 'Revoked' }],
      })
      await expect(t.agents.join(thief)).rejects.toThrow(/not known/)
      await expect(t.agents.join(input)).rejects.toThrow(/not known/)
      const third = await t.agents.createJoinToken({
        namespace: ns,
        name: 'box',
        ttlMs: 60_000,
        actor: api,
      })
      expect(await t.agents.join({ ...thief, ...third })).toEqual({ agentUid })
    })

    it('lets one of two that join at once have the name', async () => {
      const { ns, input } = await prepare()
      const other = await t.agents.createJoinToken({
        namespace: ns,
        name: 'box',
        ttlMs: 60_000,
        actor: api,
      })
      const results = await Promise.allSettled([
        t.agents.join(input),
        t.agents.join({ ...input, ...other, ed25519: key() }),
      ])
      expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected'])
    })

    it('knows no agent of another shape', async () => {
      expect(await t.agents.keysOf("'; --")).toBeUndefined()
      expect(await t.agents.keysOf('00000000-0000-4000-8000-000000000000')).toBeUndefined()
    })

    it('makes the admin token once', async () => {
      const token = await t.tokens.ensureAdmin()
      expect(token).toMatch(/^sat_[A-Za-z0-9_-]{43}$/)
      expect(await t.tokens.ensureAdmin()).toBeUndefined()
      expect(await t.principals.verify(token!)).toMatchObject({ name: 'admin', admin: true })
      expect(await t.principals.verify(`${token!}x`)).toBeUndefined()
      expect(await t.principals.verify('')).toBeUndefined()
      const stored = JSON.stringify(await t.sql.query('SELECT * FROM tokens'))
      expect(stored).not.toContain(token!.slice(4))
    })

    it('keeps the first of two settings, sealed', async () => {
      expect(await t.settings.getSealed('ca')).toBeUndefined()
      const both = await Promise.all(
        ['one', 'two'].map((v) => t.settings.putSealedIfAbsent('ca', Buffer.from(v))),
      )
      expect(both[0]).toEqual(both[1])
      expect(await t.settings.getSealed('ca')).toEqual(both[0])
      const [row] = await t.sql.query<{ sealed: string }>(
        "SELECT sealed FROM settings WHERE key = 'ca'",
      )
      expect(row?.sealed).toMatch(/^s1:/)
      await t.sql.query(
        "INSERT INTO settings SELECT 'moved', sealed FROM settings WHERE key = 'ca'",
      )
      await expect(t.settings.getSealed('moved')).rejects.toThrow(/does not open/)
    })

    it('audits who made, used and revoked what, without a secret', async () => {
      const { ns, input, ref } = await prepare()
      await t.agents.join(input)
      await t.agents.revoke(ref, api)
      const rows = await t.sql.query(
        'SELECT actor, action, detail FROM audit WHERE namespace = $1',
        [ns],
      )
      expect(rows.map((r) => r.action)).toEqual(
        expect.arrayContaining(['create join token', 'join', 'revoke']) as unknown,
      )
      expect(JSON.stringify(rows)).not.toContain(input.tokenSecret)
      const all = JSON.stringify(await t.sql.query('SELECT * FROM join_tokens'))
      expect(all).not.toContain(input.tokenSecret)
    })
  })
}

/** Only where several controllers can share one database. */
export const sharedContract = (open: OpenStore): void => {
  describe('two controllers on one database', () => {
    let t: TestStore
    let other: Opened['store']
    beforeAll(async () => {
      t = await open({ clock: createSteppedClock() })
      other = (await t.again()).store
    })
    afterAll(() => t.destroy())

    it('see each other’s changes at once, all, in the order of commit', async () => {
      const { ns } = await createShop(t.store)
      const start = await t.store.currentVersion()
      const watchers = [watch(t.store, start), watch(other, start)]
      const writer = async (store: Store, id: string): Promise<void> => {
        for (let i = 0; i < 25; i++)
          await createAs(store, api, objectOf('Project', ns, `${id}${i}`))
      }
      await Promise.all([
        writer(t.store, 'a'),
        writer(other, 'b'),
        writer(t.store, 'c'),
        writer(other, 'd'),
      ])
      for (const watcher of watchers) {
        expect(versionsOf(await watcher.until(100))).toEqual(
          Array.from({ length: 100 }, (_, i) => start + 1 + i),
        )
        await watcher.stop()
      }
    })

    it('let no watcher pass a slow commit', async () => {
      const { ns } = await createShop(t.store)
      const start = await t.store.currentVersion()
      const watching = watch(t.store, start)
      let begun = (): void => undefined
      const started = new Promise<void>((resolve) => (begun = resolve))
      const slow = other.writeWithSession(api, async (session, tx) => {
        await tx.create(objectOf('Project', ns, 'slow'))
        await session.tx.query('SELECT 1')
        begun()
        await session.tx.query('SELECT pg_sleep(2)')
      })
      await started
      const quick = createAs(t.store, api, objectOf('Project', ns, 'quick'))
      await Promise.all([slow, quick])
      const events = await watching.until(2)
      expect(events.map((e) => e.object.metadata.name)).toEqual(['slow', 'quick'])
      expect(versionsOf(events)).toEqual([start + 1, start + 2])
      await watching.stop()
    })

    it('lose no change when the listening connection is cut', async () => {
      const { ns } = await createShop(t.store)
      const watching = watch(t.store, await t.store.currentVersion())
      await t.sql.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = '${listenerName}'`,
      )
      for (let i = 0; i < 5; i++) await createAs(other, api, objectOf('Project', ns, `p${i}`))
      expect(await watching.until(5)).toHaveLength(5)
      await watching.stop()
    })

    it('race for one object, and one wins', async () => {
      const { ns } = await createShop(t.store)
      const made = await createAs(t.store, api, objectOf('Project', ns, 'p'))
      const results = await Promise.allSettled(
        [t.store, other].map((store, i) =>
          updateAs(store, api, { ...made, spec: { description: String(i) } }),
        ),
      )
      expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected'])
    })

    it('write to one secret set without breaking its MAC', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          createAs(i % 2 === 0 ? t.store : other, api, secretOf(ns, `s${i}`, { value: String(i) })),
        ),
      )
      expect((await t.store.readSet(projectUid, 'head')).entries).toHaveLength(20)
      await Promise.all([t.store, other].map((s) => s.closeDueRevisions(Number.MAX_SAFE_INTEGER)))
      expect((await other.revisionsOf(projectUid)).closed).toBe(1)
    })

    it('have reads that are never torn by a write', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 's', { value: 'v' }))
      let writing = true
      const writer = (async () => {
        for (let i = 0; i < 40; i++)
          await updateAs(other, api, secretOf(ns, 's', { value: String(i) }))
        writing = false
      })()
      let reads = 0
      while (writing) {
        await t.store.readSet(projectUid, 'head') // throws when rows and MAC do not match
        reads++
      }
      await writer
      expect(reads).toBeGreaterThan(5)
    })
  })
}

/** Only where one process may have the folder. */
export const folderContract = (open: OpenStore): void => {
  describe('a folder', () => {
    const writer = bundled('writers/folder.ts')
    const run = (dataDir: string) => {
      const args = [...shortLived, writer, dataDir]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      return { child, ended, output: () => output }
    }

    it('is refused while another process has it, and free at once after kill -9 with all that was acknowledged', async () => {
      const t = await open({ clock: createSteppedClock() })
      await t.close()
      const writer = run(t.dataDir)
      await expect.poll(() => writer.output()).toMatch(/p20\n/)
      await expect(t.again()).rejects.toThrow(
        /the data folder .* is in use by another Stagely process/,
      )
      // It goes on as if nothing had happened.
      const before = writer.output()
      await expect.poll(() => writer.output()).not.toBe(before)
      writer.child.kill('SIGKILL')
      await writer.ended
      const acknowledged = writer.output().trim().split('\n')
      const again = await t.again()
      const { items } = await again.store.list('Project', { namespace: 'default' })
      const names = new Set(items.map((i) => i.metadata.name))
      expect(acknowledged.filter((n) => !names.has(n))).toEqual([])
      await t.destroy()
    })
  })
}
