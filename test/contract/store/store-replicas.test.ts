// Replicas in processes of their own that write at once on one server, and are killed, paused and cut off
// meanwhile.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { eventually } from '../../support/eventually.ts'
import {
  openTestStore,
  testMasterKey,
  type TestStore,
} from '../../support/databases/open-test-store.ts'
import { createRandom } from '../../support/random.ts'
import { soak } from '../../support/soak.ts'
import { api, createShop, objectOf, secretOf } from '../../support/databases/store-fixtures.ts'
import { readHistory } from '../../support/writers/history.ts'
import { faults, Writer, type Count } from '../../support/writers/writer.ts'

const replicas = [0, 1, 2] as const
/** ms */
const testTimeout = soak(180_000, 7_200_000)
const things = { writers: 4, counters: 3, secrets: 6 }

const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(sorted.length * share)] ?? NaN)
}

describe('three replicas that write at once, and are killed, paused and cut off', () => {
  let t: TestStore
  let namespace: string
  let writers: Writer[]
  const seed = Number(process.env['STAGELY_TEST_SEED'] ?? randomBytes(3).readUIntBE(0, 3))

  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'))
    namespace = (await createShop(t.store)).ns
    await t.store.write(api, {}, async (tx) => {
      const description = JSON.stringify({ n: 0, id: '' } satisfies Count)
      for (let i = 0; i < things.counters; i++)
        await tx.create(objectOf('Project', namespace, `counter-${i}`, { description }))
      for (let i = 0; i < things.secrets; i++)
        await tx.create(secretOf(namespace, `s-${i}`, { value: 'first' }))
    })
    writers = await Promise.all(
      replicas.map((name) =>
        Writer.start({
          ...things,
          namespace,
          name: String(name),
          databaseUrl: t.databaseUrl!,
          dataDir: t.dataDir,
          masterKey: testMasterKey.toString('base64'),
        }),
      ),
    )
  })
  afterAll(async () => {
    for (const writer of writers ?? []) await writer.remove()
    // Compares the state of the store that has only followed with the tables.
    await t?.destroy()
  })

  it(
    'lose nothing that was acknowledged, double nothing, starve nobody, and end with one state',
    async () => {
      const wanted = soak(300, 100_000)
      /** ms */
      const [gap, longest] = [soak(300, 12_000), soak(600, 4_000)]
      /** Of each replica. */
      const harms = soak(2, Infinity)
      const random = createRandom(seed)
      const harmed = Object.fromEntries(faults.map((fault) => [fault, 0]))
      const done = (): number => writers.reduce((sum, writer) => sum + writer.done.length, 0)
      const begun = performance.now()

      const harm = async (writer: Writer, first: number): Promise<void> => {
        for (let i = 0; i < harms && done() < wanted && writer.ended === undefined; i++) {
          await realClock.sleep(random.between(gap / 10, gap))
          const fault =
            i < faults.length ? faults[(first + i) % faults.length]! : random.pick(faults)
          harmed[fault]! += 1
          await writer.harm(fault, random.between(longest / 20, longest))
        }
      }
      await Promise.all(writers.map(harm))
      const isOver = (): boolean =>
        done() >= wanted || writers.some(({ ended }) => ended !== undefined)
      await eventually(isOver, testTimeout).toBe(true)
      expect(writers.map(({ ended }) => ended)).toEqual(replicas.map(() => undefined))
      await Promise.all(writers.map((writer) => writer.stop()))
      const compared = await Promise.all(writers.map((writer) => writer.compare()))

      const seconds = Math.round((performance.now() - begun) / 1000)
      console.info(`seed ${seed}: ${done()} writes in ${seconds} s; ${JSON.stringify(harmed)}`)
      for (const [i, { done: acknowledged, failed }] of writers.entries()) {
        const ms = acknowledged.map((one) => one.ms)
        const [p50, p99, most] = [0.5, 0.99, 0.999999].map((share) => percentile(ms, share))
        console.info(
          `replica ${i}: ${ms.length} writes, p50 ${p50} ms, p99 ${p99} ms, at most ${most} ms; ${failed.length} without an answer`,
        )
      }

      const errors = writers.flatMap(({ failed }) => failed.map(({ error }) => error))
      expect(errors.filter((error) => !error?.startsWith('ServiceUnavailable:'))).toEqual([])
      const { ids, wrong } = await readHistory(t.databaseUrl!, namespace)
      expect(wrong).toEqual([])
      const lost = writers.flatMap((writer) => writer.done).filter(({ id }) => !ids.has(id))
      expect(lost).toEqual([])
      const [first] = compared
      for (const { state, tables } of compared)
        expect([state, tables]).toEqual([first!.tables, first!.tables])
      for (const { done: acknowledged } of writers) {
        expect(acknowledged.length).toBeGreaterThan(0)
        expect(percentile(acknowledged.map(({ ms }) => ms), 0.99)).toBeLessThan(20_000) // prettier-ignore
      }
    },
    testTimeout,
  )
})
