// What all tests of the dashboard share: one controller with an agent and a stack, and one browser. A page that
// breaks the policy, writes an error to the console or forgets a rejection fails the test that opened it.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { request, type BrowserContext, type Page } from 'playwright-core'
import { freshDatabase } from '../support/fresh-database.ts'
import { startWorld, type World } from '../support/processes.ts'
import { createStack, testImage, type Stack } from '../support/stack.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { launchApart } from './browser.ts'

const axeSource = readFileSync(
  resolve(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'),
  'utf8',
)

export interface PageOptions {
  readonly width?: number
  readonly height?: number
  readonly scheme?: 'light' | 'dark'
  /** Absent: logged in. */
  readonly loggedOut?: boolean
  /** Of somebody else than the admin. */
  readonly token?: string
  readonly forcedColors?: 'active'
  /** Another tab of the same browser profile. */
  readonly beside?: Page
}

export interface Dashboard {
  readonly world: World
  readonly stack: Stack
  readonly url: string
  /** Cuts the network between the browser and the controller, and mends it. */
  readonly setOnline: (isOnline: boolean) => void
  readonly token: string
  /** Address of the controller's database. */
  readonly database: string
  /** Asks the REST API as the admin does by a token; throws unless it is done. */
  readonly rest: (method: string, path: string, body?: object) => Promise<string>
  /** Opens a page and waits until it is live. */
  readonly open: (path: string, options?: PageOptions) => Promise<Page>
  /** What axe finds on the page, in words; [] is what is wanted. */
  readonly axe: (page: Page) => Promise<string[]>
  /** What pages of this test did that none may do; closes the pages. */
  readonly endTest: () => Promise<string[]>
  readonly stop: () => Promise<void>
}

/** The browser logs each refused request: that nobody is logged in, or that a confirmation is wanted. */
const isExpected = (text: string, url: string): boolean =>
  text.startsWith('Failed to load resource') &&
  (url.includes('/api/v1/session') || text.includes('401') || text.includes('ERR_'))

const watch = (page: Page, found: string[]): void => {
  page.on('console', (message) => {
    const [text, { url }] = [message.text(), message.location()]
    if (message.type() === 'error' && !isExpected(text, url)) found.push(`console: ${text} ${url}`)
  })
  page.on('pageerror', (error) => found.push(`error: ${error.stack ?? error.message}`))
}

const shell = (name: string, command: string): string =>
  `  ${name}:\n    image: ${testImage}\n    stop_grace_period: 1s\n    network_mode: none\n    command: ["sh", "-c", ${JSON.stringify(command)}]\n`

/** `web` writes lines; `backend` idles, and ends at once where its value is a broken one. */
export const compose = `services:\n${shell(
  'web',
  `trap 'exit 0' TERM; while true; do n=$$((n+1)); printf '\\033[32mINFO\\033[0m request %d\\007\\n' $$n; sleep 0.2 & wait $$!; done`,
)}${shell(
  'backend',
  `case $$DATABASE_URL in broken*) for n in $$(seq 1 25); do echo step $$n; done; echo FATAL: no login with $$DATABASE_URL; exit 3;; esac; trap 'exit 0' TERM; sleep 2147483 & wait`,
)}`

const seed = (stack: Stack): string =>
  projectYaml('shop') +
  secretYaml('DATABASE_URL', 'postgres://user:pass@postgres:5432/db', 'backend') +
  secretYaml('SENTRY_DSN', 'https://key@sentry.example.com/1', 'web') +
  secretYaml('LOG_LEVEL', 'information', 'global') +
  stageletYaml(stack.directory, stack.project)

export const startDashboard = async (): Promise<Dashboard> => {
  const stack = await createStack(compose)
  const database = await freshDatabase()
  const world = await startWorld({ database })
  await world.apply(seed(stack))
  await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
  const token = readFileSync(join(world.controllerDir, 'admin-token'), 'utf8').trim()
  const {
    browser,
    setOnline,
    stop: stopBrowser,
  } = await launchApart(Number(new URL(world.url).port))
  const api = await request.newContext({
    ignoreHTTPSErrors: true,
    extraHTTPHeaders: { authorization: `Bearer ${token}` },
  })
  const contexts: BrowserContext[] = []
  const found: string[] = []
  const logIn = async (context: BrowserContext, by = token): Promise<void> => {
    const data = { token: by }
    const answer = await context.request.post(`${world.url}/api/v1/session`, { data })
    if (!answer.ok()) throw new Error(`no login: ${answer.status()} ${await answer.text()}`)
  }
  const contextOf = async (options: PageOptions): Promise<BrowserContext> => {
    const { width = 1280, height = 800, scheme = 'light', forcedColors } = options
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: 'reduce',
      ...(forcedColors === undefined ? {} : { forcedColors }),
      ignoreHTTPSErrors: true,
    })
    contexts.push(context)
    await context.addInitScript(
      "document.addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile))",
    )
    if (options.loggedOut !== true) await logIn(context, options.token)
    return context
  }
  return {
    world,
    stack,
    url: world.url,
    setOnline,
    token,
    database: database.url,
    rest: async (method, path, body) => {
      const url = `${world.url}/api/v1${path}`
      const answer = await api.fetch(url, { method, ...(body === undefined ? {} : { data: body }) })
      if (answer.ok()) return answer.text()
      throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`)
    },
    open: async (path, options = {}) => {
      const context = options.beside?.context() ?? (await contextOf(options))
      const page = await context.newPage()
      watch(page, found)
      await page.goto(`${world.url}${path}`)
      if (options.loggedOut !== true) await page.getByText(/^live/).first().waitFor()
      return page
    },
    axe: async (page) => {
      await page.evaluate(axeSource)
      return page.evaluate<string[]>(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, help, nodes }) => nodes.map((n) => id + ': ' + help + ' ' + n.target.join(' ') + ' ' + n.html.slice(0, 120))))",
      )
    },
    endTest: async () => {
      await Promise.all(contexts.splice(0).map((context) => context.close()))
      return found.splice(0)
    },
    stop: async () => {
      await api.dispose()
      await stopBrowser()
      await world.stop()
      await stack.remove()
    },
  }
}
