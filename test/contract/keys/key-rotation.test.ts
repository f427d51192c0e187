// Keys that are due: what the controller replaces by itself, of what it tells, and what is refused meanwhile. On one
// store, with a clock that leaps.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Dues } from '../../../controller/keys/plan.ts'
import {
  rotateDueKeys,
  type DueKeysDeps,
  type DueKeysResult,
} from '../../../controller/keys/rotate-due.ts'
import { startKeyRotation } from '../../../controller/keys/start.ts'
import { SealingKeys } from '../../../controller/keys/sealing.ts'
import { complianceReportOf } from '../../../controller/compliance/report.ts'
import { nodeCrypto } from '../../../src/audit/chain.ts'
import { reportFault } from '../../../src/audit/signed-report.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { ProjectStatus } from '../../../src/kinds/project/schema.ts'
import type { KeyProvider } from '../../../src/secrets/key-provider.ts'
import { createKeyRing } from '../../../src/secrets/key-ring.ts'
import { createLocalKeyProvider } from '../../../src/secrets/providers/local.ts'
import { dropRetired } from '../../../src/store/keys/key-deletion.ts'
import { countSealedOld } from '../../../src/store/keys/reseal.ts'
import { eventually } from '../../support/eventually.ts'
import { createLeapingClock } from '../../support/leaping-clock.ts'
import {
  openTestStore,
  testMasterKey,
  type TestStore,
} from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  objectOf,
  secretOf,
  system,
  updateAs,
} from '../../support/databases/store-fixtures.ts'

const day = 86_400_000
const delivery = { stagelet: 'prod', agent: 'box' }
const quarterly = { every: '90d', enforce: true }

const fallible = (inner: KeyProvider, state: { isAway: boolean }): KeyProvider => {
  const guard = <T>(work: () => Promise<T>): Promise<T> =>
    state.isAway
      ? Promise.reject(new StagelyError('ServiceUnavailable', 'key provider x: it is down'))
      : work()
  return {
    ...inner,
    wrap: (plaintext, context) => guard(() => inner.wrap(plaintext, context)),
    unwrap: (wrapped, context) => guard(() => inner.unwrap(wrapped, context)),
  }
}

describe('keys that are due', () => {
  const clock = createLeapingClock()
  const [master, cards] = [{ isAway: false }, { isAway: false }]
  const sealing = new SealingKeys()
  let t: TestStore
  let deps: DueKeysDeps
  let dues: readonly Dues[] = []
  const logged: string[] = []

  beforeAll(async () => {
    const local = fallible(createLocalKeyProvider(testMasterKey), master)
    const other = fallible(createLocalKeyProvider(Buffer.alloc(32, 1), { name: 'key-file' }), cards)
    const keyRing = createKeyRing(local, [], clock, [
      { name: 'cards', provider: other, teams: undefined },
    ])
    const keyCache = { keepMs: 400 * day }
    const log = { ...silentLogger, warn: (_: object, text: string) => logged.push(text) }
    t = await openTestStore(inject('postgresUrl'), { clock, keyRing, keyCache, log })
    await sealing.load(t.settings)
    const onKeysDue = (seen: readonly Dues[]): void => {
      dues = seen
    }
    deps = {
      store: t.store,
      keys: t.keys,
      sealing,
      clock,
      log,
      onKeysDue,
      rotatesKeys: true,
    }
  })
  afterAll(() => t.destroy())
  /** Nothing is due when a test begins. */
  beforeEach(async () => {
    await look()
    await finish()
    await t.sql.query('UPDATE counters SET key_since = $1, key_warned_at = NULL', [clock.now()])
    await t.sql.query('UPDATE wrapping_keys SET since = $1, warned_at = NULL', [clock.now()])
    await look()
  })

  const look = (more: Partial<DueKeysDeps> = {}): Promise<DueKeysResult> =>
    rotateDueKeys({ ...deps, ...more })
  const finish = async (): Promise<void> => {
    await t.keys.beginLeft()
    while (await t.keys.workOnce());
    await t.keys.beginLeft()
    while (await t.keys.workOnce());
  }
  const projectOf = async (namespace: string): Promise<KubeObject> =>
    (await t.store.get({ kind: 'Project', namespace, name: 'shop' }))!
  const ruled = (ns: string, spec: object): Promise<KubeObject> =>
    updateAs(t.store, api, objectOf('Project', ns, 'shop', { ...spec }))
  const statusOf = async (ns: string): Promise<ProjectStatus> => (await projectOf(ns)).status ?? {}
  const verdictOf = async (ns: string): Promise<string> => {
    const found = findCondition((await statusOf(ns)).conditions, 'KeyRotationDue')
    return found === undefined ? 'absent' : `${found.status}/${found.reason}: ${found.message}`
  }
  const eventsOf = async (ns: string): Promise<string[]> =>
    (await t.store.list('Event', { namespace: ns })).items
      .map(({ spec }) => spec)
      .filter(({ reason }) => reason === 'KeyRotationDue')
      .map(({ message }) => message)
  const keyOf = async (projectUid: string): Promise<string | undefined> => {
    const rows = await t.sql.query<{ id: string }>(
      'SELECT id FROM data_keys WHERE project_uid = $1 AND retired_at IS NULL',
      [projectUid],
    )
    return rows[0]?.id
  }
  const give = (ns: string, name: string, value: string): Promise<KubeObject> =>
    createAs(t.store, api, secretOf(ns, name, { value }))

  it('are replaced by themselves at 90 days, while values are read and written, and no digest moves', async () => {
    const { ns, projectUid } = await createShop(t.store)
    await ruled(ns, { keyRotation: { every: '90d' } })
    await give(ns, 'a', 'value-a')
    await t.store.closeDueRevisions(clock.now() + 60_000)
    const [key, sealingKey] = [await keyOf(projectUid), sealing.current.id]
    const digests = () =>
      t.sql.query(
        'SELECT version, value_digest FROM secret_versions WHERE project_uid = $1 AND name = $2',
        [projectUid, 'a'],
      )
    const before = await digests()
    const loop = startKeyRotation(deps)
    let isOver = false
    const load = async (): Promise<number> => {
      let count = 0
      for (; !isOver || count < 3; count += 1) {
        await updateAs(t.store, api, secretOf(ns, 'load', { value: `value ${count}` }))
        const [a] = await t.store.openSet(projectUid, 1, delivery)
        expect(a?.value.toString()).toBe('value-a')
      }
      return count
    }
    await give(ns, 'load', 'value')
    const loading = load()
    await eventually(async () => (await statusOf(ns)).keys !== undefined).toBe(true)
    clock.leap(89 * day)
    clock.leap(day)
    try {
      await eventually(async () => (await keyOf(projectUid)) !== key).toBe(true)
    } finally {
      isOver = true
      await loading
      await loop.stop()
    }
    await finish()
    expect(await countSealedOld(t.sql, projectUid)).toBe(0)
    expect(await digests()).toEqual(before)
    // The controller cannot make a master key.
    expect(await verdictOf(ns)).toMatch(/^True\/WrappingKeyDue: the master key/)
    expect((await eventsOf(ns)).filter((text) => text.includes('the data key'))).toEqual([])
    expect(sealing.current.id).toBe(sealingKey)
    const rows = await t.sql.query(
      `SELECT actor, detail ->> 'project' AS project FROM audit
       WHERE kind = 'DataKey' AND action = 'create' AND namespace = $1`,
      [ns],
    )
    expect(rows).toEqual([{ actor: 'controller', project: 'shop' }])
  })

  it('wait where their provider is away, say so, and are replaced later, beside those of others', async () => {
    const [own, free] = [await createShop(t.store), await createShop(t.store)]
    await ruled(own.ns, { keyProvider: 'cards' })
    await finish()
    await look()
    const before = [await keyOf(own.projectUid), await keyOf(free.projectUid)]
    clock.leap(366 * day)
    cards.isAway = true
    try {
      for (let i = 0; i < 2; i++) expect(await look()).toMatchObject({ waits: true })
      expect(await keyOf(own.projectUid)).toBe(before[0])
      expect(await keyOf(free.projectUid)).not.toBe(before[1])
      expect(await verdictOf(own.ns)).toMatch(
        /^True\/KeysDue: the data key .* 1 day overdue.*; the controller waits: .*it is down$/,
      )
      expect(await eventsOf(own.ns)).toHaveLength(1)
    } finally {
      cards.isAway = false
    }
    clock.leap(10_000)
    expect(await look()).toMatchObject({ waits: false })
    expect(await keyOf(own.projectUid)).not.toBe(before[0])
    expect(await verdictOf(own.ns)).toMatch(/^True\/WrappingKeyDue/)
  })

  it('are replaced while another rotation waits for its own key, and nothing stays under the old one', async () => {
    const [own, free] = [await createShop(t.store), await createShop(t.store)]
    await give(free.ns, 'a', 'value-a')
    await ruled(own.ns, { keyProvider: 'cards' })
    await finish()
    await give(own.ns, 'a', 'value-a')
    await t.keys.rotateDataKeys(api, own.projectUid)
    cards.isAway = true
    try {
      clock.leap(366 * day)
      const key = await keyOf(free.projectUid)
      await look()
      expect(await keyOf(free.projectUid)).not.toBe(key)
      await finish()
      expect(await countSealedOld(t.sql, free.projectUid)).toBe(0)
    } finally {
      cards.isAway = false
    }
  })

  it('are only told of where the operator wants that: each once a day, also over restarts', async () => {
    const { ns, projectUid } = await createShop(t.store)
    await createAs(
      t.store,
      api,
      objectOf('Notifier', ns, 'ops', {
        reasons: ['KeyRotationDue'],
        webhook: { url: 'https://hooks.example.com/s' },
      }),
    )
    const [key, sealed] = [await keyOf(projectUid), sealing.current.id]
    logged.length = 0
    clock.leap(365 * day)
    for (const ms of [0, 1_000, day, 0, day]) {
      clock.leap(ms)
      await look({ rotatesKeys: false })
    }
    expect([await keyOf(projectUid), sealing.current.id]).toEqual([key, sealed])
    const told = await t.sql.query<{ message: string }>(
      `SELECT notice ->> 'message' AS message FROM outbox o JOIN objects n ON n.uid = o.notifier
       WHERE n.namespace = $1 ORDER BY o.id`,
      [ns],
    )
    const how = told.map(({ message }) => /and (.*?): (.*)/.exec(message)?.slice(1))
    const command = `stagely admin keys rotate --project shop -n ${ns}`
    expect(how).toEqual([
      ['due for rotation', command],
      ['1 day overdue', command],
      ['2 days overdue', command],
    ])
    for (const kind of ['master', 'sealing'])
      expect(logged.filter((text) => text.startsWith(`the ${kind} key`))).toHaveLength(3)
    const overdue = (): string[] =>
      dues.filter(({ dueAt }) => dueAt <= clock.now()).map(({ kind }) => kind)
    expect(overdue()).toEqual(['master', 'data', 'sealing', 'project'])
    expect((await eventsOf('default')).some((text) => text.startsWith('the master key'))).toBe(true)
    await look()
    expect(sealing.current.id).not.toBe(sealed)
    expect(overdue()).toEqual(['master', 'project'])
  })

  it('refuse new values 30 days later where a project wants that, and nothing else', async () => {
    const { ns, projectUid } = await createShop(t.store)
    const ref = (name: string) => ({ kind: 'StagelySecret', namespace: ns, name })
    await ruled(ns, { keyRotation: quarterly })
    await give(ns, 'a', 'first')
    await updateAs(t.store, api, secretOf(ns, 'a', { value: 'second' }))
    for (const name of ['gone', 'purged']) await give(ns, name, 'value')
    await createAs(t.store, api, secretOf(ns, 'made', { valueFrom: { generate: {} } }))
    await t.store.closeDueRevisions(clock.now() + 60_000)
    const tells = () => look({ rotatesKeys: false })
    await tells()
    clock.leap(119 * day)
    await tells()
    await give(ns, 'late', 'value')
    clock.leap(2 * day)
    await tells()
    const refused = { reason: 'KeyRotationOverdue' }
    await expect(give(ns, 'new', 'value')).rejects.toMatchObject(refused)
    // The older key comes first.
    for (const text of [
      /"shop" takes no new value \(spec.keyRotation\): the (data|master) key /,
      /the data key [^;]* 31 days overdue: stagely admin keys rotate --project shop -n .*;/,
      /the master key [^;]* 31 days overdue: .* --master/,
    ])
      await expect(give(ns, 'new', 'value')).rejects.toThrow(text)
    await expect(
      updateAs(t.store, api, secretOf(ns, 'a', { value: 'third' })),
    ).rejects.toMatchObject(refused)
    const uid = (await t.store.get(ref('purged')))!.metadata.uid!
    const project = { kind: 'Project', namespace: ns, name: 'shop' }
    await createAs(t.store, api, secretOf(ns, 'empty', {}))
    await updateAs(t.store, api, secretOf(ns, 'a', { scope: 'web' }))
    await t.store.write(api, {}, (tx) => tx.rollbackSecret(ref('a'), 1))
    await t.store.write(system, {}, (tx) => tx.renewSecret(ref('made')))
    await t.store.write(api, {}, (tx) => tx.remove(ref('gone')))
    await t.store.write(api, {}, (tx) => tx.purgeSecret(project, uid))
    const revealed = await t.store.revealSecret(api, ref('a'))
    expect(revealed.value.toString()).toBe('first')
    expect(await t.store.openSet(projectUid, 1, delivery)).toHaveLength(3)
    // Each remedy counts in its own write; the master key is overdue still.
    await t.keys.rotateDataKeys(api, projectUid)
    await expect(give(ns, 'new', 'value')).rejects.toThrow(/: the master key .* 31 days overdue/)
    await t.sql.query("UPDATE wrapping_keys SET prefix = 'version 1' WHERE name = ''")
    await look()
    await give(ns, 'new', 'value')
    expect(await verdictOf(ns)).toMatch(/^False\/NotDue/)
    await finish()
  })

  it('concern a project no more when it drops its rule', async () => {
    const { ns } = await createShop(t.store)
    await ruled(ns, { keyRotation: quarterly })
    await look()
    expect((await statusOf(ns)).keys).toMatchObject({ dataKeySince: expect.any(String) as string })
    await ruled(ns, {})
    await look()
    expect(await verdictOf(ns)).toBe('absent')
    expect(await statusOf(ns)).not.toHaveProperty('keys')
  })

  it('are in a signed report, with the values that they seal, who replaced them and what is overdue', async () => {
    const { ns, projectUid } = await createShop(t.store)
    const policy = { maxAge: '90d', exempt: ['FREE'] }
    await ruled(ns, { keyRotation: { every: '90d' }, secretPolicy: policy })
    const sinceMs = clock.now()
    const canary = 'canary-of-the-report'
    for (const name of ['token', 'free', 'gone', 'purged']) await give(ns, name, canary)
    const uid = (await t.store.get({ kind: 'StagelySecret', namespace: ns, name: 'purged' }))!
    clock.leap(100 * day)
    await look()
    await finish()
    clock.leap(61_000)
    await dropRetired({ sql: t.sql, store: t.store, clock })
    await updateAs(t.store, api, secretOf(ns, 'token', { value: `${canary}-2` }))
    await t.store.write(api, {}, (tx) =>
      tx.remove({ kind: 'StagelySecret', namespace: ns, name: 'gone' }),
    )
    const ref = { kind: 'Project', namespace: ns, name: 'shop' }
    await t.store.write(api, {}, (tx) => tx.purgeSecret(ref, uid.metadata.uid!))
    const project = await projectOf(ns)
    const facts = await t.keys.complianceOf(project)
    const { rotationMs, rotatesKeys } = t.keys
    const nowMs = clock.now()
    const report = complianceReportOf(facts, { project, sinceMs, nowMs, rotationMs, rotatesKeys })
    const values = report.secrets.map((one) => [
      ...[one.name, one.exempt, one.deleted_by],
      one.values.map(({ version, by, overdue_days: days }) => [version, by, days]),
    ])
    expect(values).toEqual([
      ['free', true, undefined, [[1, 'alice', undefined]]],
      ['gone', false, 'alice', [[1, 'alice', 10]]],
      ['purged', false, 'alice', [[1, 'alice', 10]]],
      [
        ...['token', false, undefined],
        [
          [1, 'alice', 10],
          [2, 'alice', undefined],
        ],
      ],
    ])
    const data = report.keys.filter(({ kind }) => kind === 'data')
    expect(data.map(({ by, overdue_days: days }) => [by, days])).toEqual([
      [undefined, 10],
      ['controller', undefined],
    ])
    expect(data[1]?.name).toBe(await keyOf(projectUid))
    expect(report.keys.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['master', 'sealing']),
    )
    expect(report.rotations.map(({ what, by }) => `${what} ${by}`)).toEqual(
      expect.arrayContaining(['rotate keys (Keys) controller', 'create (DataKey) controller']),
    )
    // A laxer rule undoes nothing of what was overdue before it.
    await ruled(ns, { keyRotation: { every: '90d' }, secretPolicy: { maxAge: '365d' } })
    clock.leap(day)
    const lax = await projectOf(ns)
    const when = { sinceMs, nowMs: clock.now(), rotationMs, rotatesKeys }
    const later = complianceReportOf(await t.keys.complianceOf(lax), { project: lax, ...when })
    expect(later.rules_before).toMatchObject([{ max_age: '90d', exempt: ['FREE'] }])
    expect(later.secrets.at(-1)?.values[0]).toMatchObject({ version: 1, overdue_days: 10 })
    const { document, ...signed } = await t.audit.signReport('compliance', report)
    expect(await reportFault(nodeCrypto, { report: document, ...signed })).toBeUndefined()
    expect(JSON.stringify(document)).not.toContain(canary)
  })
})
