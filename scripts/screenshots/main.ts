// Pictures of the dashboard for the docs: the quickstart's example, and a browser. scripts/screenshots.sh has
// installed what is needed and calls this.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { makeMissingImages, removeImages, shopImages } from '../lib/images.ts'
import { freePort } from '../lib/processes.ts'
import {
  connected,
  pathsIn,
  root,
  stagely,
  startAgent,
  startController,
  type Connection,
} from '../lib/stagely.ts'
import * as shop from '../quickstart/shop.ts'

const pictures = join(root, 'docs/pictures')
/** Undone in reverse order at the end, whatever happened. */
const undo: (() => unknown)[] = []

const command = async (at: Connection, args: readonly string[], stdin = ''): Promise<string> => {
  const { code, stdout, stderr } = await stagely(at, args, { stdin })
  if (code !== 0) throw new Error(`stagely ${args.join(' ')}: ${stderr.trim()}`)
  return stdout
}

/** A second project, whose agent has never been there. */
const billing = `apiVersion: stagely.dev/v1alpha1
kind: Project
metadata: { name: billing }
spec: { description: invoices }
---
apiVersion: stagely.dev/v1alpha1
kind: Stagelet
metadata: { name: billing-eu }
spec:
  projectRef: { name: billing }
  agentRef: { name: web-7 }
  compose: { directory: /srv/billing }
---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: { name: smtp-password }
spec: { projectRef: { name: billing }, key: SMTP_PASSWORD, value: example-of-a-password }
`

/** Controller, agent and the example, in sync. */
const bringUp = async (): Promise<Connection> => {
  const paths = pathsIn(mkdtempSync(join(tmpdir(), 'stagely-screenshots-')))
  undo.push(() => rmSync(paths.dir, { recursive: true, force: true }))
  const made = await makeMissingImages(shopImages)
  undo.push(() => removeImages(made))
  const stack = await shop.prepareStack(paths.dir)
  undo.push(() => shop.removeStack(stack))
  const controller = await startController(paths, { port: await freePort(0) })
  undo.push(() => controller.server.stop())
  const name = ['--namespace', 'default', '--name', 'web-3']
  const token = await command(controller, ['agent', 'token', 'create', ...name])
  const agent = startAgent(paths, root, token.trim())
  undo.push(() => agent.stop())
  await connected(agent, 30_000)
  const manifest = shop.shopManifest(stack.directory).replaceAll('name: local', 'name: web-3')
  await command(controller, ['apply', '-f', '-', '-f', shop.secretsFile], manifest)
  await command(controller, ['apply', '-f', '-'], billing)
  const wait = ['wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout=120s']
  await command(controller, wait)
  return controller
}

const shoot = async (page: Page, name: string): Promise<void> => {
  await page.screenshot({ path: join(pictures, `${name}.png`) })
  process.stdout.write(`docs/pictures/${name}.png\n`)
}

/** Edits are staged only: the example stays as it is. */
const takeAll = async (page: Page, url: string): Promise<void> => {
  await page.goto(`${url}/ui/`)
  await page.getByText('Recent activity').first().waitFor()
  await shoot(page, 'overview')
  await page.goto(`${url}/ui/t/default/p/shop`)
  await page.getByRole('row', { name: /^STRIPE_SECRET_KEY/ }).click()
  await page.getByRole('button', { name: 'Replace value' }).click()
  await page.getByLabel('New value').fill('sk_test_another_one')
  await page.getByRole('button', { name: 'Stage the change' }).click()
  await page.getByText('1 staged').first().waitFor()
  await shoot(page, 'secrets')
  await page.keyboard.press('Control+Enter')
  await page.getByRole('button', { name: 'Apply: re-create 1 service' }).waitFor()
  await shoot(page, 'review')
}

try {
  mkdirSync(pictures, { recursive: true })
  const { url, env } = await bringUp()
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium-headless-shell',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  undo.push(() => browser.close())
  const context = await browser.newContext({
    viewport: { width: 1200, height: 700 },
    reducedMotion: 'reduce',
    ignoreHTTPSErrors: true,
  })
  const login = await context.request.post(`${url}/api/v1/session`, {
    data: { token: env.STAGELY_TOKEN },
  })
  if (!login.ok()) throw new Error(`no login: ${login.status()}`)
  await takeAll(await context.newPage(), url)
} finally {
  for (const one of undo.reverse()) await one()
}
