// api_*: the Kubernetes-style API over TLS on a real Postgres server as shipped (fsync on), the
// controller a process of its own with its reconcilers running: 1 KiB secrets of one project.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { freePort } from '../../scripts/lib/processes.ts'
import { pathsIn, startController, type Controller } from '../../scripts/lib/stagely.ts'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import { median, timeAsyncMs, type Row } from './measure.ts'
import { cpuMs, memoryMb } from './proc.ts'
import { sender, type Send } from './send.ts'

const objects = 1_000
const watchers = 1_000
const apiVersion = 'stagely.dev/v1alpha1'
const path = `/apis/${apiVersion}/namespaces/default/stagelysecrets`

const secret = (name: string): object => ({
  apiVersion,
  kind: 'StagelySecret',
  metadata: { name, labels: { 'stagely.dev/project': 'shop' } },
  spec: {
    projectRef: { name: 'shop' },
    key: `K_${name.replaceAll('-', '_')}`,
    value: randomBytes(560).toString('base64'),
  },
})

/** How many a second, with `lanes` at once. */
const perSecond = async (
  count: number,
  lanes: number,
  one: (i: number) => Promise<unknown>,
): Promise<number> => {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++)
  }
  const ms = await timeAsyncMs(() => Promise.all(Array.from({ length: lanes }, lane)))
  return (count * 1_000) / ms
}

const timesOf = async (count: number, one: (i: number) => Promise<unknown>): Promise<number[]> => {
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(await timeAsyncMs(() => one(i)))
  return times
}

/** From the start of one write until the last of all watchers has its line. */
const fanOutMs = async (
  controller: Controller,
  { send, writes, token }: { send: Send; writes: number; token: string },
): Promise<{ value: number; cpu: number; controllerMb: number }> => {
  const ca = readFileSync(controller.env.STAGELY_CA_FILE)
  const headers = { authorization: `Bearer ${token}` }
  let marker = ''
  let left = 0
  let allHaveIt = (): void => undefined
  const open: (() => void)[] = []
  const watch = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const url = `${controller.url}${path}?watch=true&fieldSelector=metadata.name%3Dc1-0`
      const sent = request(url, { ca, headers, agent: false }, (response) => {
        response.on('data', (piece: Buffer) => {
          if (marker !== '' && piece.includes(marker) && --left === 0) allHaveIt()
        })
        resolve()
      })
      sent.once('error', reject)
      open.push(() => {
        sent.off('error', reject).on('error', () => undefined)
        sent.destroy()
      })
      sent.end()
    })
  await perSecond(watchers, 50, watch)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const { pid } = controller.server
  const before = cpuMs(pid)
  const times = await timesOf(writes, async (i) => {
    marker = `fan-out-${token.slice(-6)}-${i}-x`
    left = watchers
    const all = new Promise<void>((resolve) => (allHaveIt = resolve))
    await send('PATCH', `${path}/c1-0`, { metadata: { annotations: { marker } } })
    await all
  })
  const cpu = cpuMs(pid) - before
  const controllerMb = Math.round(memoryMb(pid, 'VmRSS'))
  for (const close of open) close()
  return { value: median(times), cpu, controllerMb }
}

/** What the same costs where each watcher's token is narrowed to the project. */
const benchFanOut = async (controller: Controller, send: Send, writes: number): Promise<Row[]> => {
  const body = { name: 'narrowed', role: 'viewer', projects: ['shop'] }
  const made = await send('POST', '/api/v1/teams/default/tokens', body)
  const narrowed = (JSON.parse(made) as { token: string }).token
  const whole = { send, writes, token: controller.env.STAGELY_TOKEN }
  const { value, controllerMb } = await fanOutMs(controller, whole)
  // CPU time of the controller, once it is warm: other work on the machine does not change the ratio.
  const part = await fanOutMs(controller, { send, writes: 3 * writes, token: narrowed })
  const again = await fanOutMs(controller, { ...whole, writes: 3 * writes })
  return [
    { name: 'api_watch_1000_last_ms', value, unit: 'ms', controller_rss_mb: controllerMb },
    { name: 'api_watch_narrowed_ratio', value: part.cpu / again.cpu, unit: 'x' },
  ]
}

const measure = async (controller: Controller, full: boolean): Promise<Row[]> => {
  const one = sender(controller, 1)
  const many = sender(controller, 16)
  const alone = full ? objects : 300
  try {
    const projects = `/apis/${apiVersion}/namespaces/default/projects`
    await one.send('POST', projects, {
      apiVersion,
      kind: 'Project',
      metadata: { name: 'shop' },
      spec: {},
    })
    await timesOf(100, (i) => one.send('POST', path, secret(`warm-${i}`)))
    const creates = await timesOf(alone, (i) => one.send('POST', path, secret(`c1-${i}`)))
    const rate = await perSecond(objects - alone, 16, (i) =>
      many.send('POST', path, secret(`c16-${i}`)),
    )
    const gets = await perSecond(objects, 16, (i) => many.send('GET', `${path}/c1-${i % alone}`))
    const lists = await timesOf(full ? 20 : 9, () => one.send('GET', `${path}?limit=${objects}`))
    return [
      { name: 'api_create_c1_ms', value: median(creates), unit: 'ms' },
      { name: 'api_create_c16_per_s', value: rate, unit: '1/s' },
      { name: 'api_get_c16_per_s', value: gets, unit: '1/s' },
      { name: 'api_list_1000_ms', value: median(lists), unit: 'ms' },
      ...(await benchFanOut(controller, one.send, full ? 30 : 9)),
    ]
  } finally {
    one.close()
    many.close()
  }
}

export const benchApi = async (full: boolean): Promise<Row[]> => {
  const postgres = await anyPostgres()
  const dir = mkdtempSync(`${tmpdir()}/stagely-bench-api-`)
  try {
    const database = await createTestDatabase(postgres.url)
    const controller = await startController(pathsIn(dir), {
      port: await freePort(0),
      databaseUrl: database.url,
      masterKey: randomBytes(32).toString('base64'),
    })
    try {
      return await measure(controller, full)
    } finally {
      await controller.server.stop()
      await database.drop()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
    await postgres.stop()
  }
}
