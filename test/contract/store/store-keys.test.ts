// Keys on both databases: rotation under load, moves between providers, outages, what was moved by hand.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createKeyRing, type KeyRing } from '../../../src/secrets/key-ring.ts'
import type { KeyProvider } from '../../../src/secrets/key-provider.ts'
import { createLocalKeyProvider } from '../../../src/secrets/providers/local.ts'
import { countSealedOld } from '../../../src/store/keys/reseal.ts'
import { makeDataKeys, replaceDataKeys } from '../../../src/store/keys/data-keys.ts'
import { countWraps } from '../../../src/store/keys/wraps.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import {
  openTestStore,
  testMasterKey,
  type TestStore,
} from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  objectOf,
  secretOf,
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import { localKeyRing } from '../../support/keys.ts'
import { soak } from '../../support/soak.ts'

const delivery = { stagelet: 'prod', agent: 'box' }
const newMasterKey = Buffer.alloc(32, 77)

/** A provider that a test can take down. */
const fallible = (inner: KeyProvider): { provider: KeyProvider; state: { down: boolean } } => {
  const state = { down: false }
  const guard = <T>(work: () => Promise<T>): Promise<T> =>
    state.down
      ? Promise.reject(new StagelyError('ServiceUnavailable', 'key provider x: it is down'))
      : work()
  const provider: KeyProvider = {
    ...inner,
    wrap: (plaintext, context) => guard(() => inner.wrap(plaintext, context)),
    unwrap: (wrapped, context) => guard(() => inner.unwrap(wrapped, context)),
  }
  return { provider, state }
}

const digestsOf = (t: TestStore): Promise<unknown[]> =>
  t.sql.query('SELECT secret_uid, version, value_digest FROM secret_versions ORDER BY 1, 2')

const databases = [
  ['Postgres', (): string | undefined => inject('postgresUrl')],
  ['PGlite', (): string | undefined => undefined],
] as const

// The embedded database in the long form: keys rest on the same there, and backups move such a one to a new key.
describe.each(databases.slice(0, soak(1, databases.length)))('keys on %s', (_, url) => {
  let t: TestStore
  const clock = createSteppedClock()
  const open = fallible(createLocalKeyProvider(testMasterKey))
  const ring: KeyRing = createKeyRing(open.provider, [], clock)
  beforeAll(async () => {
    t = await openTestStore(url(), { clock, keyRing: ring, keyCache: { keepMs: 3_600_000 } })
  })
  afterAll(() => t.destroy())

  const fill = async (count: number): Promise<{ ns: string; projectUid: string }> => {
    const shop = await createShop(t.store)
    await t.store.write(api, { changeSet: { id: randomUUID(), last: true } }, async (tx) => {
      for (let i = 0; i < count; i++)
        await tx.create(secretOf(shop.ns, `s-${i}`, { value: `v${i}` }))
    })
    return shop
  }
  const finish = async (): Promise<void> => {
    let more = true
    while (more) more = await t.keys.workOnce()
  }
  const openValues = async (projectUid: string): Promise<Record<string, string>> => {
    const { closed } = await t.store.revisionsOf(projectUid)
    const entries = await t.store.openSet(projectUid, closed, delivery)
    return Object.fromEntries(entries.map((e) => [e.key, e.value.toString()]))
  }

  it('seals nothing with the old key from the first second, and leaves nothing under it', async () => {
    const { ns, projectUid } = await fill(120)
    const [old] = await t.sql.query<{ id: string }>(
      'SELECT id FROM data_keys WHERE project_uid = $1',
      [projectUid],
    )
    const before = await digestsOf(t)
    const rotation = await t.keys.rotateDataKeys(api, projectUid)
    await createAs(t.store, api, secretOf(ns, 'late', { value: 'late' }))
    const [late] = await t.sql.query<{ data_key_id: string }>(
      `SELECT data_key_id FROM secret_versions WHERE name = 'late' AND project_uid = $1`,
      [projectUid],
    )
    expect(late?.data_key_id).not.toBe(old?.id)
    expect(await countSealedOld(t.sql, projectUid)).toBe(120)
    await expect(t.keys.rotateDataKeys(api)).rejects.toMatchObject({ reason: 'Conflict' })

    await t.keys.workOnce() // one batch, and the process is gone
    expect(await countSealedOld(t.sql)).toBe(20)
    expect((await t.keys.status()).rotations[0]).toMatchObject({ state: 'Running', done: 100 })
    expect(Object.keys(await openValues(projectUid))).toHaveLength(120)
    clock.step(60_000) // its lease runs out; another controller takes over
    await finish()
    expect(await countSealedOld(t.sql)).toBe(0)
    const { rotations, sealedOld } = await t.keys.status()
    expect(rotations[0]).toMatchObject({ id: rotation.id, state: 'Succeeded', done: 120 })
    expect(sealedOld).toBe(0)
    expect(
      (await digestsOf(t)).filter((row) => JSON.stringify(before).includes(JSON.stringify(row))),
    ).toHaveLength(120)
    expect((await openValues(projectUid))['S_119']).toBe('v119')
    const audit = await t.sql.query<{ action: string; detail: string }>(
      `SELECT action, detail FROM audit WHERE kind = 'Keys' ORDER BY id`,
    )
    expect(audit.map((row) => row.action)).toEqual([
      'use master key',
      'rotate keys',
      'end key rotation',
    ])
  })

  it('destroys a retired key a minute after its last row, and says so in the audit', async () => {
    const { projectUid } = await createShop(t.store)
    const keysOf = (): Promise<{ id: string }[]> =>
      t.sql.query('SELECT id FROM data_keys WHERE project_uid = $1', [projectUid])
    const [old] = await keysOf()
    await t.keys.rotateDataKeys(api, projectUid)
    await finish()
    expect(await keysOf()).toHaveLength(2)
    clock.step(61_000)
    while (await t.keys.workRound());
    expect(await keysOf()).toHaveLength(1)
    const rows = await t.sql.query<{ name: string; actor: string }>(
      `SELECT name, actor FROM audit WHERE kind = 'DataKey' AND action = 'destroy' AND name = $1`,
      [old?.id],
    )
    expect(rows).toEqual([{ name: old?.id, actor: 'controller' }])
  })

  it('rotates under readers and writers: no read fails, no write is lost', async () => {
    const { ns, projectUid } = await fill(60)
    const stop = { now: false }
    const written = { count: 0 }
    const reader = (async () => {
      let reads = 0
      while (!stop.now) {
        expect(Object.keys(await openValues(projectUid)).length).toBeGreaterThanOrEqual(60)
        reads++
      }
      return reads
    })()
    const writer = (async () => {
      for (let i = 0; !stop.now; i++) {
        await t.store.write(api, { changeSet: { id: randomUUID(), last: true } }, (tx) =>
          tx.update(secretOf(ns, `s-${i % 60}`, { value: `w${i}` })),
        )
        written.count = i + 1
      }
    })()
    for (let round = 0; round < 2; round++) {
      await t.keys.rotateDataKeys(api)
      await finish()
      expect(await countSealedOld(t.sql)).toBe(0)
    }
    stop.now = true
    expect(await reader).toBeGreaterThan(0)
    await writer
    const values = await openValues(projectUid)
    const last = written.count - 1
    expect(values[`S_${last % 60}`]).toBe(`w${last}`)
  })

  it('seals nothing with the old key in a write right behind a rotation', async () => {
    const { ns, projectUid } = await fill(1)
    const project = { uid: projectUid, project: `${ns}/shop`, keyProvider: undefined }
    const { made } = await makeDataKeys(ring, [project])
    const update = (value: string): Promise<unknown> =>
      updateAs(t.store, api, secretOf(ns, 's-0', { value }))
    const rotated = t.store
      .writeWithSession(api, (session) => {
        replaceDataKeys(session, made)
        return Promise.resolve()
      })
      .then(() => update('after'))
    await Promise.all([update('before'), rotated])
    const rows = await t.sql.query<{ retired: boolean }>(
      `SELECT k.retired_at IS NOT NULL AS retired FROM secret_versions v JOIN data_keys k ON k.id = v.data_key_id
       WHERE v.project_uid = $1 ORDER BY v.version`,
      [projectUid],
    )
    // The write beside the rotation may come before or after it.
    expect([rows[0]?.retired, rows[2]?.retired]).toEqual([true, false])
    await t.keys.rotateDataKeys(api, projectUid)
    await finish()
    expect(await countSealedOld(t.sql, projectUid)).toBe(0)
  })

  it('reads from memory while the provider is down, and refuses what needs it', async () => {
    const { ns, projectUid } = await fill(3)
    await openValues(projectUid)
    open.state.down = true
    clock.step(1_800_000)
    expect(await openValues(projectUid)).toEqual({ S_0: 'v0', S_1: 'v1', S_2: 'v2' })
    // What is sealed while the master key is gone might never open again.
    await expect(
      updateAs(t.store, api, secretOf(ns, 's-0', { value: 'new' })),
    ).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
      message: expect.stringMatching(/^key provider x: it is down\. Nothing was stored/) as string,
    })
    await updateAs(t.store, api, secretOf(ns, 's-0', { value: 'v0' })) // no new version
    expect(await openValues(projectUid)).toEqual({ S_0: 'v0', S_1: 'v1', S_2: 'v2' })
    await expect(createAs(t.store, api, objectOf('Project', ns, 'other'))).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
      message: expect.stringMatching(/^key provider x: it is down\. Nothing was stored/) as string,
    })
    await expect(t.keys.rotateDataKeys(api)).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    expect(await t.store.health()).toMatchObject({ ok: false, failed: 'key-provider' })
    clock.step(3_600_000) // past what is kept
    await expect(openValues(projectUid)).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    open.state.down = false
    clock.step(11_000)
    expect(await t.store.health()).toMatchObject({ ok: true })
    expect((await openValues(projectUid))['S_1']).toBe('v1')
    await updateAs(t.store, api, secretOf(ns, 's-0', { value: 'new' }))
  })

  it('opens no row that was copied from another project or scope, and none that was put back', async () => {
    const [one, two] = [await fill(2), await fill(2)]
    const copy = (from: string, set: string, where: string): Promise<unknown> =>
      t.sql.query(
        `UPDATE secret_versions v SET sealed = o.sealed, data_key_id = o.data_key_id, value_digest = o.value_digest, bytes = o.bytes ${set}
         FROM secret_versions o WHERE ${from} AND ${where}`,
      )
    const before = (uid: string): string => `v.project_uid = '${uid}' AND v.name = 's-0'`
    await t.store.write(api, { changeSet: { id: randomUUID(), last: true } }, async (tx) => {
      for (const scope of ['web', 'api'])
        await tx.create(secretOf(one.ns, `of-${scope}`, { key: 'SCOPED', scope, value: scope }))
    })
    await t.sql.query(
      `CREATE TABLE kept AS SELECT * FROM secret_versions WHERE project_uid = '${one.projectUid}'`,
    )
    const restore = async (): Promise<void> => {
      await t.sql.query(`DELETE FROM secret_versions WHERE project_uid = '${one.projectUid}'`)
      await t.sql.query('INSERT INTO secret_versions SELECT * FROM kept')
    }
    await copy(`o.project_uid = '${two.projectUid}' AND o.name = 's-0'`, '', before(one.projectUid))
    await expect(openValues(one.projectUid)).rejects.toThrow(/MAC|does not open|not match/)
    await restore()
    await t.sql.query(
      `UPDATE secret_versions v SET sealed = o.sealed, data_key_id = o.data_key_id FROM secret_versions o
       WHERE ${before(one.projectUid)} AND o.project_uid = '${two.projectUid}' AND o.name = 's-0'`,
    )
    await expect(openValues(one.projectUid)).rejects.toThrow(/does not open|MAC/)
    await restore()
    // Within the project, from one scope to the other: the bytes alone do not open, and a row that
    // says another scope does not match the MAC.
    await t.sql.query(
      `UPDATE secret_versions v SET sealed = o.sealed FROM secret_versions o
       WHERE v.project_uid = '${one.projectUid}' AND v.name = 'of-api'
         AND o.project_uid = v.project_uid AND o.name = 'of-web'`,
    )
    await expect(openValues(one.projectUid)).rejects.toThrow(/does not open/)
    await restore()
    await t.sql.query(
      `UPDATE secret_versions SET scope = 'api2' WHERE project_uid = '${one.projectUid}' AND name = 'of-web'`,
    )
    await expect(openValues(one.projectUid)).rejects.toThrow(/MAC/)
    await restore()
    expect((await openValues(one.projectUid))['S_0']).toBe('v0')
    // An old row over the new one.
    await t.store.write(api, { changeSet: { id: randomUUID(), last: true } }, (tx) =>
      tx.update(secretOf(one.ns, 's-0', { value: 'newer' })),
    )
    expect((await openValues(one.projectUid))['S_0']).toBe('newer')
    await t.sql.query(
      `UPDATE secret_versions v SET sealed = k.sealed, value_digest = k.value_digest, bytes = k.bytes FROM kept k
       WHERE ${before(one.projectUid)} AND k.name = 's-0' AND v.to_revision IS NULL`,
    )
    await expect(openValues(one.projectUid)).rejects.toThrow(/MAC/)
    await t.sql.query(`DELETE FROM secret_versions WHERE project_uid = '${one.projectUid}'`)
    await t.sql.query('DROP TABLE kept')
  })

  it('moves to a new master key row by row, and needs the old one until the end', async () => {
    const { ns, projectUid } = await fill(2)
    await t.settings.putSealedIfAbsent('probe', Buffer.from('kept'))
    await t.close()
    await expect(t.again({ masterKey: newMasterKey })).rejects.toThrow(
      /needs local key [0-9a-f]{16}.*nothing was changed/,
    )
    const both = (): KeyRing => localKeyRing(newMasterKey, { previous: [testMasterKey], clock })
    const moving = await t.again({ keyRing: both() })
    await moving.keys.rotateMasterKey(api)
    await moving.keys.workOnce()
    expect((await countWraps(moving.sql)).size).toBe(2)
    const { closed } = await moving.store.revisionsOf(projectUid)
    expect(await moving.store.openSet(projectUid, closed, delivery)).toHaveLength(2)
    await moving.close()
    await expect(t.again({ masterKey: newMasterKey })).rejects.toThrow(
      /STAGELY_SECRET_KEY_PREVIOUS/,
    )
    clock.step(60_000)
    const later = await t.again({ keyRing: both() })
    let more = true
    while (more) more = await later.keys.workOnce()
    expect((await countWraps(later.sql)).size).toBe(1)
    // Writes go on with what was wrapped anew.
    await createAs(later.store, api, secretOf(ns, 'after', { value: 'v' }))
    expect((await countWraps(later.sql)).size).toBe(1)
    await later.close()
    const alone = await t.again({ masterKey: newMasterKey })
    expect(await alone.store.openSet(projectUid, closed, delivery)).toHaveLength(2)
    expect((await alone.settings.getSealed('probe'))?.toString()).toBe('kept')
    await expect(alone.keys.rotateMasterKey(api)).rejects.toMatchObject({ reason: 'BadRequest' })
    await alone.close()
    await expect(t.again({ masterKey: testMasterKey })).rejects.toThrow(/needs local key/)
  })
})
