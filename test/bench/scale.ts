// scale_*: a controller with 100,000 objects on a real Postgres server as shipped (fsync on): projects with
// secrets and stagelets, whose agents are away.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { freePort } from '../../scripts/lib/processes.ts'
import { pathsIn, startController, type Controller, type Paths } from '../../scripts/lib/stagely.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { apiVersion } from '../../src/resources/meta.ts'
import { openStore } from '../../src/store/open/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { localKeyRing } from '../support/keys.ts'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { objectOf } from '../support/databases/store-fixtures.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import { median, percentile, timeAsyncMs, type Row } from './measure.ts'
import { memoryMb, settled } from './proc.ts'
import { sender } from './send.ts'

/** Of one project: itself, its stagelets, and secrets. */
const objectsEach = 500
const stageletsEach = 10
const services = 20
const actor = { name: 'bench', source: 'api', authority: 'whole' as const }

const secretSpec = (project: string, i: number): Record<string, unknown> => ({
  projectRef: { name: project },
  key: `KEY_${i}`,
  scope: `service-${i % services}`,
  value: randomBytes(48).toString('base64'),
})

const stageletSpec = (project: string, i: number): Record<string, unknown> => ({
  projectRef: { name: project },
  agentRef: { name: `box-${i}` },
  compose: { directory: `/srv/${project}`, projectName: project },
})

const fill = async (store: Store, projects: number): Promise<void> => {
  for (let p = 0; p < projects; p++) {
    const project = `p-${p}`
    await store.write(actor, { changeSet: { id: project, last: true } }, async (tx) => {
      await tx.create(objectOf('Project', 'default', project))
      for (let i = 0; i < stageletsEach; i++) {
        const name = `${project}-${i}`
        await tx.create(objectOf('Stagelet', 'default', name, stageletSpec(project, i)))
      }
      for (let i = 0; i < objectsEach - stageletsEach - 1; i++) {
        const name = `${project}-key-${i}`
        await tx.create(objectOf('StagelySecret', 'default', name, secretSpec(project, i)))
      }
    })
  }
}

const timeCreates = async (controller: Controller, count: number): Promise<number[]> => {
  const one = sender(controller, 1)
  const path = `/apis/${apiVersion}/namespaces/default/stagelysecrets`
  const times: number[] = []
  try {
    for (let i = 0; i < count; i++) {
      const body = objectOf('StagelySecret', 'default', `more-${i}`, secretSpec('p-0', 1_000 + i))
      times.push(await timeAsyncMs(() => one.send('POST', path, body)))
    }
  } finally {
    one.close()
  }
  return times.slice(50)
}

const measure = async (paths: Paths, databaseUrl: string, masterKey: Buffer): Promise<Row[]> => {
  const start = async (): Promise<Controller> =>
    startController(paths, {
      port: await freePort(0),
      databaseUrl,
      masterKey: masterKey.toString('base64'),
    })
  // The first one judges all that was never judged.
  const first = await start()
  const judged = await settled(first.server.pid)
  await first.server.stop()
  const controller = await start()
  try {
    const { pid } = controller.server
    const { seconds, cpu } = await settled(pid)
    const rss = memoryMb(pid, 'VmRSS')
    const peak = Math.round(memoryMb(pid, 'VmHWM'))
    const creates = await timeCreates(controller, 350)
    const cpu_s = Number(cpu.toFixed(1))
    return [
      { name: 'scale_first_judged_s', value: judged.seconds, unit: 's', cpu_s: judged.cpu },
      { name: 'scale_start_ms', value: controller.startMs, unit: 'ms' },
      { name: 'scale_settled_s', value: seconds, unit: 's', cpu_s },
      { name: 'scale_rss_mb', value: rss, unit: 'MB', peak },
      {
        name: 'scale_create_c1_ms',
        value: median(creates),
        unit: 'ms',
        p95: Number(percentile(creates, 0.95).toFixed(2)),
      },
    ]
  } finally {
    await controller.server.stop()
  }
}

export const benchScale = async (objects: number): Promise<Row[]> => {
  const postgres = await anyPostgres()
  const dir = mkdtempSync(`${tmpdir()}/stagely-bench-scale-`)
  const masterKey = randomBytes(32)
  try {
    const database = await createTestDatabase(postgres.url)
    try {
      const opened = await openStore({
        databaseUrl: database.url,
        dataDir: dir,
        keyRing: localKeyRing(masterKey),
        clock: realClock,
        log: silentLogger,
      })
      await fill(opened.store, objects / objectsEach).finally(() => opened.close())
      const rows = await measure(pathsIn(dir), database.url, masterKey)
      return rows.map((row) => ({ ...row, objects }))
    } finally {
      await database.drop()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
    await postgres.stop()
  }
}
