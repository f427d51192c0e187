// What all tests of the dashboard share: one controller with an agent and a stack, and one browser. A page that
// breaks the policy, writes an error to the console or forgets a rejection fails the test that opened it.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { request, type BrowserContext, type Page } from 'playwright-core'
import type { TestDatabase } from '../support/test-database.ts'
import { oidcClient, startOidcProvider, type TestProvider } from '../support/oidc-provider.ts'
import { freePort, startWorld, type World } from '../support/processes.ts'
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
  /** By a link of the command line: the login is not confirmed. */
  readonly byLink?: boolean
  readonly forcedColors?: 'active'
  /** Another tab of the same browser profile. */
  readonly beside?: Page
  /** In a browser profile of its own: for a test that logs out, or changes the clock or the rights of its profile. */
  readonly own?: boolean
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
  /** What axe finds on the page, in words; [] is what is wanted. With `only`: of these rules. */
  readonly axe: (page: Page, only?: readonly string[]) => Promise<string[]>
  /** What pages of this test did that none may do; closes the pages. */
  readonly endTest: () => Promise<string[]>
  readonly stop: () => Promise<void>
}

/** Part of every value that a test types or stores: it may be in a container, and in nothing that is kept or told. */
export const canary = 'Kanarie4d1e'

/** As it is, and as base64 has it, wherever in a text it begins. */
const forms = [
  canary,
  ...[0, 1, 2].map((before) =>
    Buffer.from(`${'x'.repeat(before)}${canary}`)
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, -4),
  ),
]
export const hasCanary = (text: string): boolean => forms.some((form) => text.includes(form))

/** Where a page could keep a value, or show one. */
const kept = `JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, history.state, location.href, document.title, document.documentElement.outerHTML, [...document.querySelectorAll('input, textarea')].map((field) => field.value), performance.getEntries().map((entry) => entry.name)])`

/** Names of all that the browser stores for the site; the rest of the page's memory goes with it. */
const stores = `Promise.all([indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations()]).then((found) => [...found.flat().map(String), ...Object.keys(sessionStorage), ...Object.keys(localStorage)])`

/** What is remembered: how pages look, and how logs are read. */
const mayStore = new Set(['stagely.look', 'stagely.logs'])

/** In each page: what breaks the policy, and a value in the events that a tab tells the others, are errors. */
const inPage = `
document.addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile))
new BroadcastChannel('stagely-live').addEventListener('message', ({ data }) => { if (${JSON.stringify(forms)}.some((form) => JSON.stringify(data).includes(form))) console.error('a value is in an event') })
`

/** The browser logs each refused request: that nobody is logged in, or that a confirmation is wanted. */
const isExpected = (text: string, url: string): boolean =>
  text.startsWith('Failed to load resource') &&
  (url.includes('/api/v1/session') || text.includes('401') || text.includes('ERR_'))

const watch = (page: Page, found: string[], ours: string): void => {
  page.on('console', (message) => {
    const [text, { url }] = [message.text(), message.location()]
    const isOfOurs = url === '' || url.startsWith(ours)
    if (message.type() === 'error' && isOfOurs && !isExpected(text, url))
      found.push(`console: ${text} ${url}`)
    if (hasCanary(text)) found.push('a value is in the console')
  })
  page.on('request', (request) => {
    if (hasCanary(request.url())) found.push(`a value is in an address: ${request.method()}`)
    if (hasCanary(JSON.stringify(request.headers()))) found.push('a value is in a header')
    const isBatch = request.url().endsWith('/secrets/batch')
    if (!isBatch && hasCanary(request.postData() ?? ''))
      found.push(`a value is sent to ${request.url()}`)
  })
  page.on('pageerror', (error) => found.push(`error: ${error.stack ?? error.message}`))
}

/** What an open page keeps that it may not. */
const searched = async (page: Page): Promise<string[]> => {
  if (!page.url().includes('/ui/')) return []
  const inIt = await page.evaluate<string>(kept)
  const names = await page.evaluate<string[]>(stores)
  return [
    ...(hasCanary(inIt) ? [`a value is left in the page ${page.url()}`] : []),
    ...names.filter((name) => !mayStore.has(name)).map((name) => `${name} is stored`),
  ]
}

const shell = (name: string, command: string, more = ''): string =>
  `  ${name}:\n    image: ${testImage}\n    stop_grace_period: 1s\n    network_mode: none\n    command: ["sh", "-c", ${JSON.stringify(command)}]\n${more}`

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
): Promise<Dashboard> => {
  const stack = await createStack(services)
  const { world, provider } = await startWithProvider(database)
  await world.apply(seed(stack))
  await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
  const token = readFileSync(join(world.controllerDir, 'admin-token'), 'utf8').trim()
  const {
    browser,
    setOnline,
    stop: stopBrowser,
  } = await launchApart([world.url, provider.issuer].map((url) => Number(new URL(url).port)))
  const api = await request.newContext({
    ignoreHTTPSErrors: true,
    extraHTTPHeaders: { authorization: `Bearer ${token}` },
  })
  const contexts: BrowserContext[] = []
  const found: string[] = []
  let shared: BrowserContext | undefined
  const codeOf = async (): Promise<string> => {
    const answer = await api.post(`${world.url}/api/v1/session/codes`)
    return ((await answer.json()) as { url: string }).url.split('#code=')[1] ?? ''
  }
  const logIn = async (context: BrowserContext, options: PageOptions): Promise<void> => {
    const data =
      options.byLink === true ? { code: await codeOf() } : { token: options.token ?? token }
    const answer = await context.request.post(`${world.url}/api/v1/session`, { data })
    if (!answer.ok()) throw new Error(`no login: ${answer.status()} ${await answer.text()}`)
  }
  const newContext = async (): Promise<BrowserContext> => {
    const context = await browser.newContext({ reducedMotion: 'reduce', ignoreHTTPSErrors: true })
    await context.addInitScript(inPage)
    return context
  }
  const isLoggedIn = async (context: BrowserContext): Promise<boolean> =>
    (
      await context.request.get(`${world.url}/api/v1/session`, {
        headers: { 'sec-fetch-site': 'same-origin' },
      })
    ).ok()
  /** Most tests share one: the browser has the files of the dashboard then, and their code. */
  const contextOf = async (options: PageOptions): Promise<BrowserContext> => {
    const { loggedOut, token: theirs, byLink, own } = options
    if ([loggedOut, byLink, own].includes(true) || theirs !== undefined) {
      const context = await newContext()
      contexts.push(context)
      if (loggedOut !== true) await logIn(context, options)
      return context
    }
    const context = shared ?? (await newContext())
    if (shared === undefined) context.once('close', () => (shared = undefined))
    shared = context
    if (!(await isLoggedIn(context))) await logIn(context, {})
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
      const { width = 1280, height = 800, scheme = 'light', forcedColors = 'none' } = options
      const page = await context.newPage()
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme: scheme, forcedColors })
      watch(page, found, world.url)
      await page.goto(`${world.url}${path}`)
      if (options.loggedOut !== true) await page.getByText(/^live/).first().waitFor()
      return page
    },
    axe: async (page, only) => {
      if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(axeSource)
      const options = {
        ...{ resultTypes: ['violations'], preload: false },
        ...(only === undefined ? {} : { runOnly: only }),
      }
      return page.evaluate<string[]>(
        `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations.flatMap(({ id, help, nodes }) => nodes.map((n) => id + ': ' + help + ' ' + n.target.join(' ') + ' ' + n.html.slice(0, 120))))`,
      )
    },
    endTest: async () => {
      const sharedPages = shared?.pages() ?? []
      const pages = [...contexts.flatMap((context) => context.pages()), ...sharedPages]
      found.push(...(await Promise.all(pages.map(searched))).flat())
      // What a test leaves in the browser's storage is not there for the next one.
      await sharedPages.at(-1)?.evaluate('localStorage.clear()')
      await Promise.all(sharedPages.map((page) => page.close()))
      await Promise.all(contexts.splice(0).map((context) => context.close()))
      return found.splice(0)
    },
    stop: async () => {
      await api.dispose()
      await stopBrowser()
      await world.stop()
      await provider.stop()
      await stack.remove()
    },
  }
}
