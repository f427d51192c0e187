// dashboard_*: the dashboard in a real browser, on a real controller with an agent: how fast pages are there, how large
// a project may be, and how soon a change is seen. The browser reaches the controller through two relays, see
// test/ui/browser.ts.
import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { fillProject } from '../support/databases/big-project.ts'
import { makeTestImage } from '../support/docker/docker-setup.ts'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import { compose, startDashboard, type Dashboard } from '../ui/dashboard.ts'
import { median, percentile, type Row } from './measure.ts'
import * as measure from './page.ts'
import { cpuMs } from './proc.ts'

/** Two thousand lines a second, while the file is there. */
const chatty = `  chatty:
    image: stagely-test/busybox:1
    stop_grace_period: 1s
    network_mode: none
    command: ["sh", "-c", "trap 'exit 0' TERM; while true; do if [ -e /tmp/go ]; then seq 200 | sed 's/.*/line & of many that say something/'; fi; sleep 0.1 & wait; done"]
`

const slow = { cpu: 4, latencyMs: 40, mbit: 10 }

const row = (name: string, value: number, unit: string, details: object = {}): Row => ({
  name: `dashboard_${name}`,
  value,
  unit,
  ...details,
})

const loadRows = async ({ open, url }: Dashboard): Promise<Row[]> => {
  const rows: Row[] = []
  for (const [end, slowness] of [
    ['', undefined],
    ['_slow', slow],
  ] as const) {
    const page = await open('/ui/')
    const { lcp, cls, blocking, jsKb } = await measure.load(page, `${url}/ui/`, slowness)
    if (slowness === undefined) rows.push(row('first_load_js_kb', jsKb, 'KB'))
    rows.push(row(`lcp${end}_ms`, lcp, 'ms'), row(`blocking${end}_ms`, blocking, 'ms'))
    rows.push(row(`cls${end}`, cls, ''))
    await page.context().close()
  }
  return rows
}

/** When it was so first, from the beginning of the page's load: looked at in each frame. */
const watchLoad = (rows: number): string => `(() => {
  window.times = {}
  const look = () => {
    if (document.querySelector('[data-row]') !== null) times.first ??= performance.now()
    const count = document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')
    if (Number(count) > ${rows}) times.complete ??= performance.now()
    if (times.complete === undefined) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
})()`

const scrolled = async (page: Page, name: string): Promise<Row> => {
  const frames = await measure.scrollFrames(page, '[role=grid]', 120)
  return row(`${name}_scroll_p95_ms`, percentile(frames, 0.95), 'ms')
}

const filtered = async (page: Page, name: string, text: string): Promise<Row> => {
  await page.keyboard.press('/')
  const times: number[] = []
  for (const key of text) times.push(await measure.keyToPaint(page, key))
  return row(`${name}_filter_ms`, median(times), 'ms', { longest: Math.max(...times) })
}

const secretCount = 10_000

const longestRestMs = 300_000

/** Until the controller has judged all that was stored, and rests; with `at_rest: false` it does not rest in time. */
const untilRest = async ({ world }: Dashboard, name: string): Promise<Row> => {
  const pid = world.controller.child.pid!
  const began = Date.now()
  const taken = (): number => Date.now() - began
  let quiet = 0
  while (quiet < 3 && taken() < longestRestMs) {
    const before = cpuMs(pid)
    await setTimeout(3_000)
    quiet = cpuMs(pid) - before < 300 ? quiet + 1 : 0
  }
  return row(`${name}_until_rest_s`, Math.round(taken() / 1_000), 's', { at_rest: quiet === 3 })
}

interface Opened {
  readonly path: string
  /** So many rows, or more, are the whole list. */
  readonly count: number
  /** What is typed in the filter. */
  readonly text: string
}

/** As a person who comes to it from elsewhere. */
const openedRows = async (
  { open, url }: Dashboard,
  name: string,
  { path, count, text }: Opened,
): Promise<readonly Row[]> => {
  const page = await open('/ui/')
  await measure.load(page, `${url}/ui/`)
  await page.addInitScript(watchLoad(count))
  await page.goto(`${url}${path}`)
  const first = await measure.told(page, 'times.first')
  const complete = await measure.told(page, 'times.complete')
  await page.waitForTimeout(2_000)
  const nodes = await page.evaluate<number>("document.querySelectorAll('*').length")
  const rows = [
    row(`${name}_first_rows_ms`, first, 'ms'),
    row(`${name}_complete_ms`, complete, 'ms'),
    row(`${name}_nodes`, nodes, ''),
    row(`${name}_heap_mb`, await measure.heapMb(page), 'MB'),
    await scrolled(page, name),
    await filtered(page, name, text),
  ]
  await page.context().close()
  return rows
}

const servicesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `service-${i}`)

/**
 * The list of 10,000 secrets, the lens across 10,000 keys and 200 stagelets, most of which are of one stagelet, and the
 * page of all stacks with 1,000 of them.
 */
const bigRows = async (start: Start, show: (rows: readonly Row[]) => void): Promise<void> => {
  const secrets = { secrets: secretCount }
  const list = { ...secrets, own: 0, stagelets: 10, services: servicesOf(5) }
  const wide = { ...secrets, own: 9_000, stagelets: 200, services: servicesOf(2) }
  const stacks = { secrets: 20, own: 0, stagelets: 1_000, services: servicesOf(3) }
  const ofSecrets = { count: secretCount, text: 'KEY_0012' }
  for (const [name, project, opened] of [
    ['10k', list, { ...ofSecrets, path: '/ui/t/default/p/10k' }],
    ['10k_across', wide, { ...ofSecrets, path: '/ui/t/default/p/10k-across?lens=across' }],
    ['1k_stacks', stacks, { count: 1_000, text: 'stacks-12', path: '/ui/stacks' }],
  ] as const) {
    const place = name.replace('_', '-')
    await start(compose, async (dashboard) => {
      await fillProject(dashboard.database, { name: place, ...project })
      show([await untilRest(dashboard, name)])
      show(await openedRows(dashboard, name, opened))
    })
  }
}

type Change = (value: string) => Promise<unknown>

/** From the answer to a write until the page says it. */
const rollingMs = async (
  { open, url }: Dashboard,
  change: Change,
  rounds: number,
): Promise<number[]> => {
  const page = await open('/ui/')
  await measure.load(page, `${url}/ui/`)
  const rolling: number[] = []
  for (let i = 0; i < rounds; i++) {
    await page.getByText('What runs is what is declared.').waitFor()
    await measure.watchFor(page, 'main', 'Rolling now')
    await change(`value of round ${i}`)
    const stored = Date.now()
    rolling.push((await measure.seenAt(page)) - stored)
  }
  await page.context().close()
  return rolling
}

/** As "Apply" of the dashboard: what it sends is whole, and makes its revision at once. */
const applyWith =
  ({ rest }: Dashboard): Change =>
  (value) =>
    rest('POST', '/projects/default%2Fshop/secrets/batch', {
      operations: [{ op: 'update', id: 'shop-database-url.backend', value }],
    })

/** A change without a change set waits 300 ms for more of its kind. */
const changeRows = async (dashboard: Dashboard, rounds: number): Promise<Row[]> => {
  const applied = await rollingMs(dashboard, applyWith(dashboard), rounds)
  const patched = await rollingMs(
    dashboard,
    (value) => dashboard.world.patchSecret('shop-database-url.backend', `patched: ${value}`),
    rounds,
  )
  return [
    ...([
      ['rolling', applied],
      ['rolling_of_single_change', patched],
    ] as const),
  ].map(([name, times]) =>
    row(`${name}_p95_ms`, percentile(times, 0.95), 'ms', { median: median(times), rounds }),
  )
}

/** Events as the tab with the stream relays them, told to another tab by a script of that tab. */
const burst = (count: number, ms: number): string => `new Promise((done) => {
  const channel = new BroadcastChannel('stagely-live')
  const version = Date.now()
  let sent = 0
  const timer = setInterval(() => {
    for (let i = 0; i < ${count / (ms / 50)}; i++) {
      sent += 1
      const object = { ...window.template, status_text: String(sent), generation: sent, wanted_revision: version + sent }
      channel.postMessage({ type: 'message', message: { event: 'stagelet', id: String(version + sent), data: JSON.stringify({ action: 'modified', object, told: Date.now() }) } })
    }
    if (sent < ${count}) return
    clearInterval(timer)
    done()
  }, 50)
})`

const eventRows = async ({ open, url, rest }: Dashboard): Promise<Row[]> => {
  const leader = await open('/ui/')
  const page = await open('/ui/', { beside: leader })
  await measure.load(page, `${url}/ui/`)
  const listed = await rest('GET', '/stagelets?limit=1')
  const { stagelets } = JSON.parse(listed) as { stagelets: object[] }
  await leader.evaluate(`window.template = ${JSON.stringify(stagelets[0])}`)
  await page.evaluate(`{
    measured.paints = []
    new BroadcastChannel('stagely-live').addEventListener('message', ({ data, timeStamp }) => {
      if (data.type === 'message') requestAnimationFrame(() => setTimeout(() => measured.paints.push(performance.now() - timeStamp)))
    })
  }`)
  await measure.longestTask(page)
  await leader.evaluate(burst(1_000, 5_000))
  await page.waitForTimeout(500)
  const paints = await page.evaluate<number[]>('measured.paints')
  const longest = await measure.longestTask(page)
  await page.context().close()
  return [
    row('event_to_paint_p95_ms', percentile(paints, 0.95), 'ms', { median: median(paints) }),
    row('1000_events_longest_task_ms', longest, 'ms', { events: paints.length }),
  ]
}

const logRows = async ({ open, url, stack }: Dashboard, seconds: number): Promise<Row[]> => {
  const page = await open('/ui/')
  await measure.load(page, `${url}/ui/t/default/s/shop?tab=logs`)
  const { chatty: container } = await stack.containers()
  await measure.longestTask(page)
  await stack.docker('exec', container?.id ?? '', 'touch', '/tmp/go')
  await page.waitForTimeout(seconds * 1_000)
  const longest = await measure.longestTask(page)
  await stack.docker('exec', container?.id ?? '', 'rm', '/tmp/go')
  const lines = await page.getByRole('group', { name: 'Lines of shop' }).innerText()
  const [, last = '0'] = [...lines.matchAll(/line (\d+) of many/g)].at(-1) ?? []
  await page.context().close()
  return [row('logs_longest_task_ms', longest, 'ms', { seconds, seen: Number(last) > 0 })]
}

const idleRow = async ({ open, url }: Dashboard, seconds: number): Promise<Row> => {
  const page = await open('/ui/')
  await measure.load(page, `${url}/ui/`)
  const percent = await measure.idlePercent(page, seconds)
  await page.context().close()
  return row('idle_cpu_percent', percent, '%', { seconds })
}

/** Starts a controller with its database, an agent and a browser; ends them after the work. */
type Start = (services: string, work: (dashboard: Dashboard) => Promise<void>) => Promise<void>

export const benchDashboard = async (
  full: boolean,
  show: (rows: readonly Row[]) => void,
): Promise<void> => {
  await makeTestImage()
  const postgres = await anyPostgres()
  const start: Start = async (services, work) => {
    const dashboard = await startDashboard(await createTestDatabase(postgres.url), services)
    try {
      await work(dashboard)
    } finally {
      await dashboard.stop()
    }
  }
  try {
    await start(compose + chatty, async (dashboard) => {
      show(await loadRows(dashboard))
      show([await idleRow(dashboard, full ? 60 : 20)])
      show(await changeRows(dashboard, full ? 40 : 10))
      show(await eventRows(dashboard))
      show(await logRows(dashboard, full ? 60 : 10))
    })
    await bigRows(start, show)
  } finally {
    await postgres.stop()
  }
}
