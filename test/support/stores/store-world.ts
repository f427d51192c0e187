// A store elsewhere, in memory, secrets of it, and what looks at it. Time is the test's.
import { afterAll, afterEach, beforeAll, inject } from 'vitest'
import { startStores, type StoresDeps } from '../../../controller/stores/performer.ts'
import type { MeasuredStore } from '../../../controller/stores/measured.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import { reaches } from '../eventually.ts'
import { createLeapingClock } from '../leaping-clock.ts'
import { openTestStore, type TestStore } from '../databases/open-test-store.ts'
import { api, createAs, createShop, objectOf, secretOf } from '../databases/store-fixtures.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.ts'

export const minute = 60_000
export const day = 86_400_000

export type StoreWorld = ReturnType<typeof useStoreWorld>

/** Hooks of the tests that call it are part of it. */
export const useStoreWorld = () => {
  const clock = createLeapingClock()
  let t: TestStore
  let remote: MemoryStore
  const standing: MeasuredStore[] = []
  let performer: ReturnType<typeof startStores> | undefined
  let ns = ''
  let projectUid = ''

  const start = ({
    store = t.store,
    inOne,
  }: Partial<Pick<StoresDeps, 'store' | 'inOne'>> = {}): void => {
    const open: MemoryStore['open'] = (given) => remote.open(given)
    const onMeasured = (one: MeasuredStore): void => {
      standing.push(one)
    }
    const deps = { store, open, clock, onMeasured, log: silentLogger, random: () => 0.5, inOne }
    performer = startStores(deps)
  }
  const stop = async (): Promise<void> => {
    await performer?.stop()
    performer = undefined
  }
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(async () => {
    await stop()
    await t.destroy()
  })
  /** Each test has a team, a store elsewhere and a performer of its own. */
  const fresh = async (): Promise<void> => {
    remote = createMemoryStore(() => clock.now())
    ;({ ns, projectUid } = await createShop(t.store))
    await create(secretOf(ns, 'token', { audience: 'Controller', value: remote.credential }))
    start()
  }
  afterEach(async () => {
    await stop()
    await t.store.write(api, {}, async (tx) => {
      for (const kind of ['SecretStore', 'StagelySecret', 'Stagelet'])
        for (const { metadata } of (await tx.list(kind, { namespace: ns })).items)
          await tx.remove({ kind, namespace: ns, name: metadata.name })
    })
  })

  const create = (object: KubeObject): Promise<KubeObject> => createAs(t.store, api, object)
  const storeOf = (spec: object = {}): Promise<KubeObject> =>
    create(
      objectOf('SecretStore', ns, 'aws', {
        aws: { region: 'eu-central-1' },
        auth: { secretRef: { name: 'token' } },
        allow: { projects: ['shop'], remote: ['prod/*'] },
        refresh: { every: '5m', maxCallsPerMinute: 600 },
        ...spec,
      }),
    )
  const external = (name: string, given: object = {}, spec: object = {}): KubeObject =>
    secretOf(ns, name, {
      valueFrom: { external: { store: 'aws', key: `prod/${name}`, ...given } },
      ...spec,
    })
  const get = async (kind: string, name: string): Promise<KubeObject | undefined> =>
    t.store.get({ kind, namespace: ns, name })
  const change = async (
    kind: string,
    name: string,
    how: (before: KubeObject) => KubeObject,
  ): Promise<void> => {
    // The performer writes statuses meanwhile.
    await t.store.write(api, {}, async (tx) => {
      await tx.update(how((await tx.get({ kind, namespace: ns, name }))!))
    })
  }
  const changeSpec = (kind: string, name: string, spec: object): Promise<void> =>
    change(kind, name, (before) => ({ ...before, spec: { ...before.spec, ...spec } }))
  const valueOf = async (name: string): Promise<string> => {
    const ref = { kind: 'StagelySecret', namespace: ns, name }
    return (await t.store.revealSecret(api, ref)).value.toString()
  }
  const statusOf = async (name: string): Promise<SecretStatus> =>
    (await get('StagelySecret', name))?.status ?? {}
  const conditionOf = async (type: string, name = 'aws', kind = 'SecretStore'): Promise<string> => {
    const conditions = (await get(kind, name))?.status?.['conditions'] as Condition[] | undefined
    const found = findCondition(conditions, type)
    return found === undefined ? '' : `${found.status}/${found.reason}`
  }
  const freshOf = (name: string): Promise<string> => conditionOf('Fresh', name, 'StagelySecret')
  const messageOf = async (name: string): Promise<string> =>
    findCondition((await statusOf(name)).conditions, 'Fresh')?.message ?? ''
  const isChecked = (name: string): Promise<void> => reaches(() => freshOf(name), 'True/Checked')
  const leapUntil = <T>(ms: number, look: () => T | Promise<T>, wanted: T): Promise<void> =>
    clock.leapUntil(ms, look, wanted)
  /** Goes on in time until the store was looked at once more. */
  const look = async (): Promise<void> => {
    const before = remote.calls.look
    await leapUntil(6 * minute, () => remote.calls.look > before, true)
    await quiet()
  }
  /** Until nothing is written any more. */
  const quiet = async (): Promise<void> => {
    for (let last = -1; ;) {
      const now = await t.store.currentVersion()
      if (now === last) return
      last = now
      await realClock.sleep(500)
    }
  }
  const writes = async (): Promise<number> => t.store.currentVersion()
  const ask = (name: string, text: string): Promise<void> =>
    change('SecretStore', 'aws', (before) => ({
      ...before,
      metadata: {
        ...before.metadata,
        annotations: { ...before.metadata.annotations, [name]: text },
      },
    }))
  const auditOf = async (action: string): Promise<string[]> => {
    const filter = { teams: undefined, action, namespace: ns }
    const { records } = await t.audit.list(filter, { limit: 100 })
    return records.map((record) => JSON.stringify(record))
  }

  return {
    clock,
    standing,
    start,
    stop,
    fresh,
    create,
    storeOf,
    external,
    get,
    changeSpec,
    valueOf,
    statusOf,
    conditionOf,
    freshOf,
    messageOf,
    isChecked,
    leapUntil,
    look,
    quiet,
    writes,
    ask,
    auditOf,
    get t() {
      return t
    },
    get remote() {
      return remote
    },
    get ns() {
      return ns
    },
    get projectUid() {
      return projectUid
    },
  }
}
