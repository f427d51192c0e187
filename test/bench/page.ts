// What a page of the dashboard is measured with: its own observers, and the debugger of the browser.
import type { CDPSession, Page } from 'playwright-core'

/** Kept in the page from its first moment. */
const observers = `
window.measured = { lcp: 0, cls: 0, tasks: [] }
const observe = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
observe('largest-contentful-paint', (one) => { measured.lcp = one.startTime })
observe('layout-shift', (one) => { if (!one.hadRecentInput) measured.cls += one.value })
observe('longtask', (one) => { measured.tasks.push(one.duration) })
`

export interface Loaded {
  readonly jsKb: number
  readonly lcp: number
  readonly cls: number
  /** Of each long task what is over 50 ms. */
  readonly blocking: number
}

export interface Slowness {
  readonly cpu: number
  readonly latencyMs: number
  readonly mbit: number
}

export const debuggerOf = (page: Page): Promise<CDPSession> => page.context().newCDPSession(page)

const slowDown = async (cdp: CDPSession, by: Slowness): Promise<void> => {
  const throughput = (by.mbit * 1_000_000) / 8
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: by.cpu })
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: by.latencyMs,
    downloadThroughput: throughput,
    uploadThroughput: throughput,
  })
}

/** Loads the page anew, with nothing kept, and waits until it is live and has rested a while. */
export const load = async (page: Page, url: string, slowness?: Slowness): Promise<Loaded> => {
  const cdp = await debuggerOf(page)
  await cdp.send('Network.enable')
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true })
  if (slowness !== undefined) await slowDown(cdp, slowness)
  await page.addInitScript(observers)
  await page.goto(url)
  await page.getByText(/^live/).first().waitFor()
  await page.waitForTimeout(2_000)
  const loaded = await page.evaluate<Loaded>(`({
    lcp: measured.lcp, cls: measured.cls,
    blocking: measured.tasks.reduce((sum, one) => sum + Math.max(0, one - 50), 0),
    jsKb: performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1024,
  })`)
  await cdp.detach()
  return loaded
}

/** The longest task since the last call, in ms. */
export const longestTask = async (page: Page): Promise<number> => {
  const tasks = await page.evaluate<number[]>('measured.tasks.splice(0)')
  return Math.max(0, ...tasks)
}

/** MB, after what nobody needs is thrown away. */
export const heapMb = async (page: Page): Promise<number> => {
  const cdp = await debuggerOf(page)
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  await cdp.detach()
  return usedSize / 1_048_576
}

/** The value of the expression, once it has one. The policy of the page forbids waitForFunction. */
export const told = async (page: Page, expression: string): Promise<number> => {
  for (let look = 0; look < 6_000; look++) {
    const value = await page.evaluate<number | undefined | false>(expression)
    if (typeof value === 'number') return value
    await page.waitForTimeout(10)
  }
  throw new Error(`in vain: ${expression}`)
}

/** Milliseconds from a key until the frame after it is drawn. */
export const keyToPaint = async (page: Page, key: string): Promise<number> => {
  await page.evaluate(`addEventListener('keydown', ({ timeStamp }) =>
    requestAnimationFrame(() => setTimeout(() => { measured.key = performance.now() - timeStamp })), { once: true, capture: true })`)
  await page.keyboard.press(key)
  const ms = await told(page, 'measured.key')
  await page.evaluate('delete measured.key')
  return ms
}

/** Milliseconds of each frame while the element scrolls by a step in each. */
export const scrollFrames = (page: Page, selector: string, frames: number): Promise<number[]> =>
  page.evaluate<number[]>(`new Promise((done) => {
    const element = document.querySelector('${selector}')
    const times = []
    let before = performance.now()
    const step = () => {
      const now = performance.now()
      times.push(now - before)
      before = now
      element.scrollTop += 240
      if (times.length < ${frames}) requestAnimationFrame(step)
      else done(times.slice(1))
    }
    requestAnimationFrame(step)
  })`)

/** Share of a core that the page takes while nobody does anything, in percent. */
export const idlePercent = async (page: Page, seconds: number): Promise<number> => {
  const cdp = await debuggerOf(page)
  await cdp.send('Performance.enable')
  const busy = async (): Promise<number> => {
    const { metrics } = await cdp.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0
  }
  const before = await busy()
  await page.waitForTimeout(seconds * 1_000)
  const taken = (await busy()) - before
  await cdp.detach()
  return (taken / seconds) * 100
}

/** From now on the page keeps when the text is first on it; see `seenAt`. */
export const watchFor = (page: Page, selector: string, text: string): Promise<void> =>
  page.evaluate(`{
    delete measured.seenAt
    const look = () => {
      if (![...document.querySelectorAll('${selector}')].some((one) => one.textContent.includes('${text}'))) return
      watcher.disconnect()
      requestAnimationFrame(() => { measured.seenAt = Date.now() })
    }
    const watcher = new MutationObserver(look)
    watcher.observe(document.body, { subtree: true, childList: true, characterData: true })
    look()
  }`)

export const seenAt = (page: Page): Promise<number> => told(page, 'measured.seenAt')
