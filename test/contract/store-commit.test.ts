// Commits whose answer is lost, and commits of controllers that write at once.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { openStore, type Opened } from '../../src/store/open-store.ts'
import { openTestStore, testMasterKey, type TestStore } from '../support/open-test-store.ts'
import { localKeyRing } from '../support/keys.ts'
import {
  api,
  createAs,
  createShop,
  objectOf,
  secretOf,
  updateAs,
} from '../support/store-fixtures.ts'
import { stateAndTables } from '../support/state-of-tables.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

/** Passes on what is said to the database, and of the next answers so many bytes as it is told. */
class CuttingRelay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #left: number | undefined
  /** How many connections were cut. */
  cuts = 0

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          this.#sockets.delete(socket)
          near.destroy()
          far.destroy()
        })
      }
      near.on('data', (chunk) => far.write(chunk))
      far.on('data', (chunk) => {
        if (this.#left === undefined) {
          near.write(chunk)
          return
        }
        const passed = chunk.subarray(0, this.#left)
        this.#left -= passed.length
        if (passed.length === chunk.length) {
          near.write(chunk)
          return
        }
        this.#left = undefined
        this.cuts += 1
        near.end(passed)
        far.destroy()
      })
    })
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  /** Of what comes from now on, this many bytes pass; then the connection is cut. */
  cutAfter(bytes: number): void {
    this.#left = bytes
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

describe('a commit whose answer is lost', () => {
  let database: TestDatabase
  let relay: CuttingRelay
  let opened: Opened
  const dataDir = mkdtempSync(join(tmpdir(), 'stagely-commit-'))
  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'), inject('postgresTemplate'))
    const url = new URL(database.url)
    relay = new CuttingRelay(Number(url.port))
    url.host = `127.0.0.1:${await relay.listen()}`
    opened = await openStore({
      ...{ databaseUrl: url.href, dataDir, keyRing: localKeyRing(testMasterKey) },
      ...{ clock: realClock, log: silentLogger },
    })
  })
  afterAll(async () => {
    await opened.close()
    relay.close()
    await database.drop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('is found out, at whatever byte of the answer the connection is cut', async () => {
    const { store, sql } = opened
    const { ns } = await createShop(store)
    const offsets = Array.from({ length: 100 }, (_, i) => i * 2)
    for (const bytes of offsets) {
      relay.cutAfter(bytes)
      await createAs(store, api, secretOf(ns, `s-${bytes}`, { key: `S_${bytes}`, value: 'v' }))
    }
    expect(relay.cuts).toBeGreaterThan(50)
    const { items } = await store.list('StagelySecret', { namespace: ns })
    expect(items).toHaveLength(offsets.length)
    const audited = await sql.query<{ name: string }>(
      "SELECT name FROM audit WHERE kind = 'StagelySecret' AND action = 'create' AND namespace = $1",
      [ns],
    )
    expect(audited.map(({ name }) => name).sort()).toEqual(
      items.map(({ metadata }) => metadata.name).sort(),
    )
    const { state, tables } = await stateAndTables(opened)
    expect(state).toEqual(tables)
  })
})

describe('three controllers that write at once', () => {
  let t: TestStore
  let stores: Opened['store'][]
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), {})
    stores = [t.store, (await t.again()).store, (await t.again()).store]
  })
  // destroy() compares the state of each of them with the tables.
  afterAll(() => t.destroy())

  it('lose nothing, double nothing, and end with one state', async () => {
    const { ns } = await createShop(t.store)
    const rounds = 40
    const slowest: number[] = []
    await Promise.all(
      stores.flatMap((store, i) =>
        [0, 1].map(async (writer) => {
          let worst = 0
          for (let round = 0; round < rounds; round++) {
            const begun = performance.now()
            const name = `s-${i}-${writer}-${round % 4}`
            const secret = secretOf(ns, name, {
              key: name.replaceAll('-', '_').toUpperCase(),
              value: String(round),
            })
            await (round < 4 ? createAs(store, api, secret) : updateAs(store, api, secret))
            worst = Math.max(worst, performance.now() - begun)
          }
          slowest.push(worst)
        }),
      ),
    )
    const { items } = await stores[1]!.list('StagelySecret', { namespace: ns })
    expect(items.map(({ status }) => status?.['version'])).toEqual(
      Array.from({ length: stores.length * 2 * 4 }, () => rounds / 4),
    )
    // Nobody starves beside the others.
    expect(Math.max(...slowest)).toBeLessThan(20_000)
  })

  it('find one name free for one of them only', async () => {
    const { ns } = await createShop(t.store)
    const made = await Promise.allSettled(
      stores.map((store) => createAs(store, api, objectOf('Project', ns, 'one'))),
    )
    expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
  })
})
