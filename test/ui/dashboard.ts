// What all tests of the dashboard share: one controller with an agent and a stack, and one browser. A page that
// breaks the policy, writes an error to the console or forgets a rejection fails the test that opened it.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { request, type BrowserContext, type Page } from 'playwright-core'
import type { TestDatabase } from '../support/databases/test-database.ts'
import { longestMs } from '../support/eventually.ts'
import { oidcClient, startOidcProvider, type TestProvider } from '../support/http/oidc-provider.ts'
import { freePort, startWorld, type World } from '../support/programs/processes.ts'
import { createStack, onHost, testImage, type Stack } from '../support/docker/stack.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { launchApart } from './browser.ts'
import { canary, inPage, searched, watch } from './watched.ts'
import { goTo, leave } from './within.ts'

export { canary, hasCanary } from './watched.ts'

const axeSource = readFileSync(
  resolve(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'),
  'utf8',
)

/** The rail and the bar. */
const aroundPages = ['[class*=module_shell_] > nav', '[class*=module_shell_] > header']

export interface PageOptions {
  readonly width?: number
  readonly height?: number
  readonly scheme?: 'light' | 'dark'
  /** Absent: logged in. */
  readonly loggedOut?: boolean
  /** Of somebody else than the admin. */
  readonly token?: string
  /** By a link of the command line: the login is not confirmed. */
  readonly byLink?: boolean
  readonly forcedColors?: 'active'
  /** Another tab of the same browser profile. */
  readonly beside?: Page
  /** In place of what this page shows. */
  readonly after?: Page | undefined
  /** In a new document: for a test of how a page begins. */
  readonly anew?: boolean
  /** In a browser profile of its own: for a test that changes the clock or the rights of its profile. */
  readonly own?: boolean
}

export interface AxeOptions {
  /** Of these rules. */
  readonly only?: readonly string[]
  /** Also in the rail and the bar, which are the same on all pages. */
  readonly whole?: boolean
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
  readonly axe: (page: Page, options?: AxeOptions) => Promise<string[]>
  /** What pages of this test did that none may do; closes the pages. */
  readonly endTest: () => Promise<string[]>
  readonly stop: () => Promise<void>
}

const shell = (name: string, command: string, more = ''): string =>
  `  ${name}:\n    image: ${testImage}\n    stop_grace_period: 1s\n${onHost(name)}    command: ["sh", "-c", ${JSON.stringify(command)}]\n${more}`

/** Passes soon after the start, and is not asked for again while tests run. */
const healthy =
  '    healthcheck: { test: ["CMD", "true"], interval: 1h, start_period: 1h, start_interval: 200ms }\n'

/** `web` writes lines; `backend`, which has a health check, prints its secret and idles, and ends at once where its value is a broken one. */
export const compose = `services:\n${shell(
  'web',
  `trap 'exit 0' TERM; while true; do n=$$((n+1)); printf '\\033[32mINFO\\033[0m request %d\\007\\n' $$n; sleep 0.2 & wait $$!; done`,
)}${shell(
  'backend',
  `case $$DATABASE_URL in broken*) for n in $$(seq 1 25); do echo step $$n; done; echo FATAL: no login with $$DATABASE_URL; exit 3;; esac; echo uses $$DATABASE_URL; trap 'exit 0' TERM; sleep 2147483 & wait`,
  healthy,
)}`

/** What is stored at first. */
export const values = {
  database: `postgres://user:${canary}@postgres:5432/db`,
  dsn: `https://${canary}@sentry.example.com/1`,
}

const seed = (stack: Stack): string =>
  projectYaml('shop') +
  secretYaml('DATABASE_URL', values.database, 'backend') +
  secretYaml('SENTRY_DSN', values.dsn, 'web') +
  secretYaml('LOG_LEVEL', 'information', 'global') +
  stageletYaml(stack.directory, stack.project)

/** Developers of the team log in at an OpenID provider, which is another site than the dashboard. */
const startWithProvider = async (
  database: TestDatabase,
): Promise<{ world: World; provider: TestProvider }> => {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'stagely-oidc-'))
  const secretFile = join(folder, 'client-secret')
  await writeFile(secretFile, oidcClient.secret)
  const world = await startWorld({
    database,
    // A store elsewhere, which a test stands in for.
    controllerEnv: { STAGELY_EGRESS_ALLOW: '127.0.0.1' },
    controllerArgs: [
      ...['--oidc-issuer', `http://127.0.0.1:${port}`, '--oidc-client-id', oidcClient.id],
      ...['--oidc-client-secret-file', secretFile, '--oidc-domain', 'example.com'],
      ...['--oidc-group', 'dev=default:developer'],
    ],
  })
  const people = { ann: { email: 'ann@example.com', verified: true, groups: ['dev'] } }
  const started = await startOidcProvider(people, `${world.url}/auth/callback`, port)
  const stop = async (): Promise<void> => {
    await started.stop()
    await rm(folder, { recursive: true })
  }
  return { world, provider: { ...started, stop } }
}

export const startDashboard = async (
  database: TestDatabase,
  services = compose,
  browserFlags: readonly string[] = [],
): Promise<Dashboard> => {
  const [stack, { world, provider }] = await Promise.all([
    createStack(services),
    startWithProvider(database),
  ])
  await world.apply(seed(stack))
  const token = readFileSync(join(world.controllerDir, 'admin-token'), 'utf8').trim()
  const [{ browser, setOnline, stop: stopBrowser }] = await Promise.all([
    launchApart(
      [world.url, provider.issuer].map((url) => Number(new URL(url).port)),
      readFileSync(join(world.controllerDir, 'ca.crt'), 'utf8'),
      browserFlags,
    ),
    world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s'),
  ])
  const api = await request.newContext({
    ignoreHTTPSErrors: true,
    extraHTTPHeaders: { authorization: `Bearer ${token}` },
  })
  const contexts: BrowserContext[] = []
  const found: string[] = []
  let shared: BrowserContext | undefined
  let wasAdmin = false
  /** Waits for the next test: a page that is loaded anew costs half of what a new one does. */
  let kept: Page | undefined
  /** The same, where it is still the dashboard as the admin has it. */
  let within: Page | undefined
  const codeOf = async (): Promise<string> => {
    const answer = await api.post(`${world.url}/api/v1/session/codes`)
    return ((await answer.json()) as { url: string }).url.split('#code=')[1] ?? ''
  }
  /** In place of whoever is logged in. */
  const logIn = async (context: BrowserContext, options: PageOptions): Promise<void> => {
    await context.clearCookies()
    if (options.loggedOut === true) return
    const data =
      options.byLink === true ? { code: await codeOf() } : { token: options.token ?? token }
    const answer = await context.request.post(`${world.url}/api/v1/session`, { data })
    if (!answer.ok()) throw new Error(`no login: ${answer.status()} ${await answer.text()}`)
  }
  const newContext = async (): Promise<BrowserContext> => {
    const context = await browser.newContext({ reducedMotion: 'reduce', ignoreHTTPSErrors: true })
    context.setDefaultTimeout(longestMs)
    await context.addInitScript(inPage)
    return context
  }
  /** Nearly all tests share one, whoever they log in: a profile has processes, and files of the dashboard, of its own. */
  const contextOf = async (options: PageOptions): Promise<BrowserContext> => {
    if (options.own === true) {
      const context = await newContext()
      contexts.push(context)
      await logIn(context, options)
      return context
    }
    if (shared === undefined) {
      shared = await newContext()
      shared.once('close', () => {
        shared = undefined
        wasAdmin = false
      })
    }
    const isAdmin =
      options.loggedOut !== true && options.byLink !== true && options.token === undefined
    if (!isAdmin || !wasAdmin || (await shared.cookies()).length === 0) await logIn(shared, options)
    wasAdmin = isAdmin
    return shared
  }
  const newPage = async (context: BrowserContext): Promise<Page> => {
    const page = await context.newPage()
    watch(page, found, world.url)
    return page
  }
  const pageIn = async (context: BrowserContext): Promise<Page> => {
    const page = kept
    if (page?.isClosed() !== false || page.context() !== context) return newPage(context)
    kept = undefined
    // A request that the test before held back may still be held.
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.mouse.move(0, 0)
    return page
  }
  const pageFor = async (options: PageOptions): Promise<Page> => {
    if (options.beside !== undefined) return newPage(options.beside.context())
    if (options.after !== undefined) found.push(...(await searched(options.after)))
    const context = await contextOf(options)
    return options.after ?? pageIn(context)
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
      const { width = 1280, height = 800, scheme = 'light', forcedColors = 'none' } = options
      const wasSame = wasAdmin
      const page = await pageFor(options)
      const isThere = page === within || page === options.after
      const isWithin = isThere && wasSame && wasAdmin && options.anew !== true
      if (page === within) within = undefined
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme: scheme, forcedColors })
      if (isWithin) await goTo(page, path)
      else await page.goto(`${world.url}${path}`)
      if (options.loggedOut !== true) await page.getByText(/^live/).first().waitFor()
      return page
    },
    axe: async (page, { only, whole = false } = {}) => {
      if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(axeSource)
      const where = { exclude: whole ? [] : aroundPages }
      const options = {
        resultTypes: ['violations'],
        preload: false,
        ...(only === undefined ? {} : { runOnly: only }),
      }
      return page.evaluate<string[]>(
        `axe.run(${JSON.stringify(where)}, ${JSON.stringify(options)}).then(({ violations }) => violations.flatMap(({ id, help, nodes }) => nodes.map((n) => id + ': ' + help + ' ' + n.target.join(' ') + ' ' + n.html.slice(0, 120))))`,
      )
    },
    endTest: async () => {
      const sharedPages = shared?.pages().filter((page) => page !== kept) ?? []
      const pages = [...contexts.flatMap((context) => context.pages()), ...sharedPages]
      found.push(...(await Promise.all(pages.map(searched))).flat())
      const next = kept?.isClosed() === false ? undefined : sharedPages.shift()
      if (next !== undefined) {
        const icon = await leave(next)
        if (icon === null) within = next
        // Nothing of the test goes on in a file with the headers of a page, for which the process stays the same.
        else await next.goto(icon)
        kept = next
      }
      await Promise.all(sharedPages.map((page) => page.close()))
      await Promise.all(contexts.splice(0).map((context) => context.close()))
      return found.splice(0)
    },
    stop: async () => {
      await Promise.all([api.dispose(), stopBrowser(), world.stop()])
      await Promise.all([provider.stop(), stack.remove()])
    },
  }
}
