// A project whose keys are wrapped by a key of its own.
import { createPrivateKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { reviewChangeSet } from '../../../controller/http/kube/review.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KeyProvider } from '../../../src/secrets/key-provider.ts'
import { createKeyRing, type KeyRing } from '../../../src/secrets/key-ring.ts'
import { createLocalKeyProvider } from '../../../src/secrets/providers/local.ts'
import { backupTables } from '../../../src/store/log/tables.ts'
import {
  openTestStore,
  testMasterKey,
  type TestStore,
} from '../../support/databases/open-test-store.ts'
import { soak } from '../../support/soak.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  objectOf,
  secretOf,
  updateAs,
} from '../../support/databases/store-fixtures.ts'

const delivery = { stagelet: 'prod', agent: 'box' }
const keyFile = (n: number): KeyProvider =>
  createLocalKeyProvider(Buffer.alloc(32, n), { name: 'key-file' })

const both: [name: string, serverUrl: () => string | undefined][] = [
  ['Postgres', () => inject('postgresUrl')],
  ['PGlite', () => undefined],
]
/** On the embedded database in the long form: in the short one store-keys has its keys there. */
const databases = both.slice(0, soak(1, both.length))

describe.each(databases)('a key of a project on %s', (_, url) => {
  let t: TestStore
  const clock = createSteppedClock()
  const state = { down: false, lost: false, hanging: undefined as Promise<void> | undefined }
  const cards = keyFile(1)
  const fallible: KeyProvider = {
    ...cards,
    wrap: async (plaintext, context) => {
      await state.hanging
      if (state.down) throw new StagelyError('ServiceUnavailable', 'key provider cards: it is down')
      return cards.wrap(plaintext, context)
    },
    unwrap: async (wrapped, context) => {
      await state.hanging
      if (state.lost) throw new StagelyError('ServiceUnavailable', 'key provider cards: it is gone')
      return cards.unwrap(wrapped, context)
    },
  }
  const ringWith = (named: Parameters<typeof createKeyRing>[3]): KeyRing =>
    createKeyRing(createLocalKeyProvider(testMasterKey), [], clock, named)
  const both = (): KeyRing =>
    ringWith([
      { name: 'cards', provider: fallible, teams: undefined },
      { name: 'other-team', provider: keyFile(2), teams: ['elsewhere'] },
    ])

  beforeAll(async () => {
    t = await openTestStore(url(), { clock, keyRing: both() })
  })
  afterAll(() => t.destroy())

  const finish = async (): Promise<void> => {
    await t.keys.beginLeft()
    let more = true
    while (more) more = await t.keys.workOnce()
  }
  /** Who wraps the keys of a project that are in the database, each key once. */
  const wrappersOf = async (projectUid: string): Promise<string[]> => {
    const rows = await t.sql.query<{ wrapped: string }>(
      `SELECT wrapped FROM data_keys WHERE project_uid = $1 AND (retired_at IS NULL
         OR EXISTS (SELECT 1 FROM secret_versions v WHERE v.data_key_id = data_keys.id))
       UNION ALL SELECT digest_key FROM projects WHERE uid = $1`,
      [projectUid],
    )
    const names = rows.map(({ wrapped }) => (cards.opens(wrapped) ? 'cards' : 'master'))
    return [...new Set(names)].sort()
  }
  const valuesOf = async (projectUid: string): Promise<Record<string, string>> => {
    await t.store.closeDueRevisions(clock.now() + 60_000)
    const { closed } = await t.store.revisionsOf(projectUid)
    const entries = await t.store.openSet(projectUid, closed, delivery)
    return Object.fromEntries(entries.map((e) => [e.key, e.value.toString()]))
  }
  const projectOf = (ns: string, keyProvider?: string): ReturnType<typeof objectOf> =>
    objectOf('Project', ns, 'shop', keyProvider === undefined ? {} : { keyProvider })

  it('wraps both keys of a project that names it from the start, and of no other', async () => {
    const { ns, projectUid } = await createShop(t.store)
    const made = await createAs(t.store, api, {
      ...projectOf(ns, 'cards'),
      metadata: { name: 'pay', namespace: ns },
    })
    expect(await wrappersOf(made.metadata.uid!)).toEqual(['cards'])
    expect(await wrappersOf(projectUid)).toEqual(['master'])
    const status = await t.keys.status()
    expect(
      status.projectKeys.map(({ name, projects, health }) => [name, projects, health]),
    ).toEqual([
      ['cards', 1, { ok: true }],
      ['other-team', 0, { ok: true }],
    ])
  })

  it('is moved by no review: nothing that is not a copy changes', async () => {
    const { ns } = await createShop(t.store)
    const everything = async (): Promise<unknown[]> => {
      const names = [...(await backupTables(t.sql)), 'changes']
      const tables = names.map(
        (name) => `SELECT '${name}' AS name, to_json(t)::text AS row FROM "${name}" t`,
      )
      const [numbers] = await t.sql.query('SELECT last_value FROM audit_id_seq')
      return [numbers, ...(await t.sql.query(`${tables.join(' UNION ALL ')} ORDER BY 1, 2`))]
    }
    const before = await everything()
    const signal = new AbortController().signal
    const objects = [projectOf(ns, 'cards'), secretOf(ns, 'new', { value: 'reviewed' })]
    const { changes, faults } = await reviewChangeSet(t.store, api, {
      namespace: ns,
      objects,
      signal,
    })
    expect([faults, changes.map(({ action }) => action)]).toEqual([[], ['Update', 'Create']])
    expect(await everything()).toEqual(before)
  })

  it('takes a project over by a change of its spec: digests stay, and nothing is left behind', async () => {
    const { ns, projectUid } = await createShop(t.store)
    for (const i of [0, 1, 2])
      await createAs(t.store, api, secretOf(ns, `s-${i}`, { value: `v${i}` }))
    const digests = (): Promise<unknown[]> =>
      t.sql.query(
        'SELECT key, value_digest FROM secret_versions WHERE project_uid = $1 ORDER BY 1',
        [projectUid],
      )
    const before = await digests()
    const oldKeys = await t.sql.query<{ id: string }>(
      'SELECT id FROM data_keys WHERE project_uid = $1',
      [projectUid],
    )
    await updateAs(t.store, api, projectOf(ns, 'cards'))
    expect(await digests()).toEqual(before)
    expect(await valuesOf(projectUid)).toEqual({ S_0: 'v0', S_1: 'v1', S_2: 'v2' })
    // From the first write on.
    await createAs(t.store, api, secretOf(ns, 'late', { value: 'late' }))
    const [late] = await t.sql.query<{ id: string }>(
      `SELECT data_key_id AS id FROM secret_versions WHERE project_uid = $1 AND key = 'LATE'`,
      [projectUid],
    )
    expect(oldKeys.map(({ id }) => id)).not.toContain(late?.id)
    expect((await t.keys.status()).rotations[0]).toMatchObject({ kind: 'data', projectUid })
    await finish()
    expect(await wrappersOf(projectUid)).toEqual(['cards'])
    await updateAs(t.store, api, projectOf(ns))
    await finish()
    expect(await wrappersOf(projectUid)).toEqual(['master'])
    expect(Object.keys(await valuesOf(projectUid))).toHaveLength(4)
    const actions = await t.sql.query<{ detail: unknown }>(
      `SELECT detail FROM audit WHERE action = 'move keys' AND namespace = $1`,
      [ns],
    )
    expect(JSON.stringify(actions)).toContain(cards.keyId)
    expect(actions).toHaveLength(2)
  })

  it('takes a project over also while another rotation runs', async () => {
    const [one, two] = [await createShop(t.store), await createShop(t.store)]
    for (const { ns } of [one, two]) await createAs(t.store, api, secretOf(ns, 's', { value: 'v' }))
    await t.keys.rotateDataKeys(api, one.projectUid)
    await updateAs(t.store, api, projectOf(two.ns, 'cards'))
    await finish()
    await finish()
    expect(await wrappersOf(two.projectUid)).toEqual(['cards'])
    expect(await valuesOf(two.projectUid)).toEqual({ S: 'v' })
    expect((await t.keys.status()).sealedOld).toBe(0)
  })

  it('refuses a name that nobody configured, or not for this team, and changes nothing', async () => {
    const { ns, projectUid } = await createShop(t.store)
    for (const name of ['nowhere', 'other-team'])
      await expect(updateAs(t.store, api, projectOf(ns, name))).rejects.toMatchObject({
        reason: 'Invalid',
        message: expect.stringMatching(/spec\.keyProvider: .*known are cards:/) as string,
      })
    expect(await wrappersOf(projectUid)).toEqual(['master'])
  })

  it('stops writes of values of its own projects alone while it is down', async () => {
    const [own, free] = [await createShop(t.store), await createShop(t.store)]
    await updateAs(t.store, api, projectOf(own.ns, 'cards'))
    await finish()
    clock.step(60_000)
    state.down = true
    const down = {
      reason: 'ServiceUnavailable',
      message: expect.stringMatching(/cards: it is down\. Nothing was stored/) as string,
    }
    await expect(
      createAs(t.store, api, secretOf(own.ns, 's', { value: 'v' })),
    ).rejects.toMatchObject(down)
    await expect(updateAs(t.store, api, projectOf(free.ns, 'cards'))).rejects.toMatchObject(down)
    await createAs(t.store, api, secretOf(free.ns, 's', { value: 'v' }))
    expect(await t.store.health()).toMatchObject({ ok: true })
    const [status] = (await t.keys.status()).projectKeys
    expect(status).toMatchObject({ name: 'cards', health: { ok: false } })
    state.down = false
    clock.step(60_000)
    await createAs(t.store, api, secretOf(own.ns, 's', { value: 'v' }))
  })

  it('stays in place when data keys rotate, and when the master key does', async () => {
    const { ns, projectUid } = await createShop(t.store)
    await updateAs(t.store, api, projectOf(ns, 'cards'))
    await createAs(t.store, api, secretOf(ns, 's', { value: 'v' }))
    await finish()
    await t.keys.rotateDataKeys(api)
    await finish()
    expect(await wrappersOf(projectUid)).toEqual(['cards'])
    // By hand, as an older controller would have left it.
    const context = `digest key of project ${projectUid}`
    const [row] = await t.sql.query<{ wrapped: string }>(
      'SELECT digest_key AS wrapped FROM projects WHERE uid = $1',
      [projectUid],
    )
    const byMaster = await createLocalKeyProvider(testMasterKey).wrap(
      await cards.unwrap(row?.wrapped ?? '', context),
      context,
    )
    await t.sql.query('UPDATE projects SET digest_key = $2 WHERE uid = $1', [projectUid, byMaster])
    await t.keys.rotateMasterKey(api)
    await finish()
    expect(await wrappersOf(projectUid)).toEqual(['cards'])
    expect(await valuesOf(projectUid)).toEqual({ S: 'v' })
  })

  it('that is away is left out of a rotation for all, which names its projects', async () => {
    const [own, free] = [await createShop(t.store), await createShop(t.store)]
    await updateAs(t.store, api, projectOf(own.ns, 'cards'))
    await finish()
    const current = async (uid: string): Promise<unknown> => {
      const sql = 'SELECT id FROM data_keys WHERE project_uid = $1 AND retired_at IS NULL'
      return (await t.sql.query(sql, [uid]))[0]
    }
    const before = [await current(own.projectUid), await current(free.projectUid)]
    state.down = true
    clock.step(60_000)
    const begun = await t.keys.rotateDataKeys(api)
    state.down = false
    expect(begun.left).toContainEqual({
      projectUid: own.projectUid,
      project: `${own.ns}/shop`,
      message: 'key provider cards: it is down',
    })
    expect(begun.left.map(({ project }) => project)).not.toContain(`${free.ns}/shop`)
    expect(await current(own.projectUid)).toEqual(before[0])
    expect(await current(free.projectUid)).not.toEqual(before[1])
    await finish()
    clock.step(60_000)
    expect((await t.keys.rotateDataKeys(api, own.projectUid)).left).toEqual([])
    expect(await current(own.projectUid)).not.toEqual(before[0])
    await finish()
  })

  it('has an age, which a new version ends', async () => {
    const { ns } = await createShop(t.store)
    await updateAs(t.store, api, projectOf(ns, 'cards'))
    await finish()
    await t.keys.facts()
    const { named } = await t.keys.ages()
    expect([...named.keys()]).toEqual(['cards'])
    clock.step(366 * 86_400_000)
    await t.keys.facts()
    expect((await t.keys.ages()).named).toEqual(named)
    await t.sql.query("UPDATE wrapping_keys SET prefix = 'version 1' WHERE name = 'cards'")
    await t.keys.facts()
    expect((await t.keys.ages()).named.get('cards')).toBe(clock.now())
  })

  it('that is away lets the rotations of other projects and of the master key go on', async () => {
    const [own, free] = [await createShop(t.store), await createShop(t.store)]
    await updateAs(t.store, api, projectOf(own.ns, 'cards'))
    for (const { ns } of [own, free])
      await createAs(t.store, api, secretOf(ns, 's', { value: 'v' }))
    await finish()
    const waiting = await t.keys.rotateDataKeys(api, own.projectUid)
    await t.close()
    t = { ...t, ...(await t.again({ keyRing: both() })) }
    state.lost = true
    await finish()
    await expect(t.keys.rotateDataKeys(api, own.projectUid)).rejects.toThrow(/is running/)
    const other = await t.keys.rotateDataKeys(api, free.projectUid)
    await finish()
    const stateOf = async (id: string): Promise<string | undefined> =>
      (await t.keys.status()).rotations.find((rotation) => rotation.id === id)?.state
    expect([await stateOf(waiting.id), await stateOf(other.id)]).toEqual(['Running', 'Succeeded'])
    state.lost = false
    clock.step(60_000)
    await finish()
    expect(await stateOf(waiting.id)).toBe('Succeeded')
  })

  it('that is away lets a rotation of all projects go on with the others', async () => {
    const [own, free] = [await createShop(t.store), await createShop(t.store)]
    await updateAs(t.store, api, projectOf(own.ns, 'cards'))
    await finish()
    // More than are looked at at once, and before the other's.
    await t.store.write(api, {}, async (tx) => {
      for (let i = 0; i < 120; i++) await tx.create(secretOf(own.ns, `s-${i}`, { value: 'v' }))
    })
    await createAs(t.store, api, secretOf(free.ns, 's', { value: 'v' }))
    const all = await t.keys.rotateDataKeys(api)
    await t.close()
    t = { ...t, ...(await t.again({ keyRing: both() })) }
    state.lost = true
    await finish()
    const oldOf = async (projectUid: string): Promise<number | undefined> => {
      const [row] = await t.sql.query<{ n: number }>(
        `SELECT count(*) AS n FROM secret_versions v JOIN data_keys k ON k.id = v.data_key_id
         WHERE v.project_uid = $1 AND k.retired_at IS NOT NULL`,
        [projectUid],
      )
      return row?.n
    }
    const rotation = async (): Promise<unknown> =>
      (await t.keys.status()).rotations.find(({ id }) => id === all.id)
    expect([await oldOf(own.projectUid), await oldOf(free.projectUid)]).toEqual([120, 0])
    expect(await rotation()).toMatchObject({
      state: 'Running',
      message: expect.stringContaining('it is gone') as string,
    })
    state.lost = false
    clock.step(60_000)
    await finish()
    expect(await rotation()).toMatchObject({ state: 'Succeeded' })
    expect(await oldOf(own.projectUid)).toBe(0)
  })

  it('that hangs holds up the writes of its own projects alone', async () => {
    const [own, free] = [await createShop(t.store), await createShop(t.store)]
    await updateAs(t.store, api, projectOf(own.ns, 'cards'))
    await finish()
    await t.close()
    t = { ...t, ...(await t.again({ keyRing: both() })) }
    let release: () => void = () => undefined
    state.hanging = new Promise((resolve) => (release = resolve))
    const order: string[] = []
    const slow = createAs(t.store, api, secretOf(own.ns, 's', { value: 'v' })).then(() =>
      order.push('own'),
    )
    for (let i = 0; i < 3; i++) {
      await createAs(t.store, api, secretOf(free.ns, `s-${i}`, { value: 'v' }))
      order.push('free')
    }
    release()
    await slow
    expect(order).toEqual(['free', 'free', 'free', 'own'])
  })

  it('that hangs while it wraps the keys of a new project holds up no other', async () => {
    const { ns } = await createShop(t.store)
    const named = (name: string): ReturnType<typeof objectOf> =>
      objectOf('Project', ns, name, { keyProvider: 'cards' })
    // It answered a moment ago.
    await createAs(t.store, api, named('before'))
    let release: () => void = () => undefined
    state.hanging = new Promise((resolve) => (release = resolve))
    const order: string[] = []
    const slow = createAs(t.store, api, named('slow')).then(() => order.push('slow'))
    const free = createAs(t.store, api, secretOf(ns, 's', { value: 'v' })).then(() =>
      order.push('free'),
    )
    await Promise.race([free, new Promise((resolve) => setTimeout(resolve, 2_000))])
    release()
    await Promise.all([slow, free])
    expect(order).toEqual(['free', 'slow'])
    const made = await t.store.get({ kind: 'Project', namespace: ns, name: 'slow' })
    expect(await wrappersOf(made!.metadata.uid!)).toEqual(['cards'])
  })

  it('that is lost keeps no other project from closing its revision, and its own can be deleted', async () => {
    const [own, free] = [await createShop(t.store), await createShop(t.store)]
    await updateAs(t.store, api, projectOf(own.ns, 'cards'))
    await t.store.closeDueRevisions(clock.now() + 60_000)
    await finish()
    for (const { ns } of [own, free])
      await createAs(t.store, api, secretOf(ns, 's', { value: 'v' }))
    await t.close()
    t = { ...t, ...(await t.again({ keyRing: both() })) }
    state.lost = true
    const faults: string[] = []
    await t.store.closeDueRevisions(clock.now() + 60_000, (project) => faults.push(project))
    expect(faults).toEqual([`${own.ns}/shop`])
    expect((await t.store.revisionsOf(free.projectUid)).closed).toBe(1)
    const shop = { kind: 'Project', namespace: own.ns, name: 'shop' }
    await t.store.write(api, {}, (tx) => tx.removeProject(shop, { erase: true }))
    const left = await t.store.list('StagelySecret', { namespace: own.ns })
    expect(left.items).toEqual([])
    // The namespace of another one, with all that is in it.
    const other = await createShop(t.store)
    state.lost = false
    clock.step(60_000)
    await updateAs(t.store, api, projectOf(other.ns, 'cards'))
    await createAs(t.store, api, secretOf(other.ns, 's', { value: 'v' }))
    await finish()
    await t.close()
    t = { ...t, ...(await t.again({ keyRing: both() })) }
    state.lost = true
    await t.store.write(api, {}, (tx) =>
      tx.remove({ kind: 'Namespace', namespace: '', name: other.ns }),
    )
    expect(await t.store.get({ kind: 'Project', namespace: other.ns, name: 'shop' })).toBe(
      undefined,
    )
    state.lost = false
    clock.step(60_000)
  })

  it('is needed at start, which names it', async () => {
    await t.close()
    await expect(t.again({ keyRing: ringWith([]) })).rejects.toThrow(
      new RegExp(`needs local key ${cards.keyId}.*STAGELY_KEY_PROVIDERS_FILE`),
    )
    const again = await t.again({ keyRing: both() })
    expect((await again.keys.status()).projectKeys[0]?.projects).toBeGreaterThan(0)
  })
})

describe('a write that generates an RSA key', () => {
  it('holds up no other: the key is made before; its public half is shown', async () => {
    const t = await openTestStore(inject('postgresUrl'))
    try {
      const { ns, projectUid } = await createShop(t.store)
      const rsa = {
        type: 'file',
        file: { path: './k.pem' },
        valueFrom: { generate: { keypair: 'rsa' } },
      }
      const order: string[] = []
      const slow = t.store
        .write(api, {}, async (tx) => {
          for (const name of ['rsa-a', 'rsa-b'])
            await tx.create(secretOf(ns, name, { ...rsa, file: { path: `./${name}.pem` } }))
        })
        .then(() => order.push('rsa'))
      // Each of these is a transaction of its own that would wait for the lock.
      for (let i = 0; i < 5; i++) {
        await createAs(t.store, api, secretOf(ns, `plain-${i}`, { value: 'v' }))
        order.push('plain')
      }
      await slow
      expect(order.at(-1)).toBe('rsa')
      await t.store.closeDueRevisions(Date.now() + 60_000)
      const { closed } = await t.store.revisionsOf(projectUid)
      const set = await t.store.openSet(projectUid, closed, delivery)
      const pems = set
        .filter(({ key }) => key.startsWith('RSA'))
        .map(({ value }) => value.toString())
      expect(pems).toHaveLength(2)
      expect(new Set(pems).size).toBe(2)
      for (const pem of pems) expect(createPrivateKey(pem).asymmetricKeyType).toBe('rsa')
      const made = await t.store.get({ kind: 'StagelySecret', namespace: ns, name: 'rsa-a' })
      expect(made?.status?.['publicKey']).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    } finally {
      await t.destroy()
    }
  })
})
