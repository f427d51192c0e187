// Login, the shell, and how honest the page is about being live.
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { soak } from '../support/soak.ts'
import { canary, type Dashboard } from './dashboard.ts'

const stored = `JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, history.state, location.href, document.documentElement.outerHTML])`

/** All that the harness must see: see endTest. */
const misdeeds = `(async () => {
  const refused = new Promise((resolve) => document.addEventListener('securitypolicyviolation', resolve, { once: true }))
  console.error('an error of the page')
  Promise.reject(new Error('nobody caught this'))
  new Image().src = 'https://elsewhere.example/a.png'
  console.log('a value: ${canary}')
  new BroadcastChannel('stagely-live').postMessage({ value: '${canary}' })
  document.body.append('${canary}')
  localStorage.setItem('something', '')
  void fetch('/api/v1/meta?q=${canary}')
  await refused
})()`

/** Each channel that the page opens gets an event at once. */
const eventFirst = `{
  const Channel = BroadcastChannel
  window.BroadcastChannel = class extends Channel {
    constructor(name) {
      super(name)
      const other = new Channel(name)
      other.postMessage({ type: 'message', message: { event: 'event', id: '1', data: '{}' } })
      other.close()
    }
  }
}`

/** How many event streams the controller was asked for. */
const streamsOf = async ({ world }: Dashboard): Promise<number> => {
  const { text } = await world.page('/metrics')
  const counts = text.matchAll(
    /^stagely_http_request_seconds_count\{.*route="[^"]*\/stream".*\} (\d+)$/gm,
  )
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

export const shellTests = (given: () => Dashboard): void => {
  it('fails a test whose page breaks the policy, logs an error, forgets a rejection or keeps a value', async () => {
    const { open, endTest } = given()
    const page = await open('/ui/')
    await page.evaluate(misdeeds)
    const found = (await endTest()).join('\n')
    for (const one of [
      ...['console: an error of the page', 'error: Error: nobody caught this'],
      ...['console: policy: img-src https://elsewhere.example/a.png', 'a value is in the console'],
      ...['console: a value is in an event', 'a value is in an address'],
      ...['a value is left in the page', 'something is stored'],
    ])
      expect(found).toContain(one)
  })

  it('logs in by a token on a page that keeps nobody out, lands on the view that was asked for, and keeps no credential', async () => {
    const { open, token, axe } = given()
    const path = '/ui/t/default/p/shop?q=key:*_URL&secret=shop-database-url.backend'
    const page = await open(path, { loggedOut: true })
    await page.getByLabel('Token').waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByLabel('Token').fill('stg_wrong')
    await page.keyboard.press('Enter')
    await page.getByText('This token is not valid').waitFor()
    await page.getByLabel('Token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'DATABASE_URL' }).waitFor()
    await page.getByText('1 of 3').waitFor()
    await page.getByText(/^live/).waitFor()
    expect(page.url().endsWith(path)).toBe(true)
    const everything = await page.evaluate<string>(stored)
    expect(everything).not.toContain(token)
    expect(everything).not.toMatch(/sst_|stg_/)
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  it('logs in by an OpenID provider on another site, and lands on the view that was asked for', async () => {
    const { open } = given()
    const path = '/ui/t/default/p/shop?q=key:*_URL'
    const page = await open(path, { loggedOut: true })
    await page.getByRole('button', { name: 'Log in with 127.0.0.1' }).click()
    await page.locator('[name=login]').fill('ann')
    await page.locator('[name=password]').fill('any')
    await page.getByRole('button', { name: 'Sign-in' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('1 of 3').waitFor()
    expect(page.url().endsWith(path)).toBe(true)
    await page.getByRole('button', { name: 'ann@example.com: settings' }).waitFor()
    expect(await page.evaluate<string>(stored)).not.toMatch(/sst_|stg_|code=/)
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  it('names the person whom a link of the command line would log in, and logs in by the link once', async () => {
    const { open, world } = given()
    const link = (await world.must('open', '--print')).trim()
    const page = await open('/ui/login', { loggedOut: true })
    const login = new URL(page.url())
    // The page that is open would take the cookie.
    await page.goto('about:blank')
    const value = encodeURIComponent('nobody knows you; ask')
    const cookie = { name: '__Host-stagely-refused', value, secure: true, url: `${login.origin}/` }
    await page.context().addCookies([cookie])
    await page.goto(new URL('/ui/login?error=call+this+number', login).href)
    await page.getByText('The login was refused: nobody knows you; ask').waitFor()
    expect(await page.getByText('call this number').count()).toBe(0)
    expect(await page.evaluate('document.cookie')).toBe('')
    await page.goto(link)
    await page.getByRole('button', { name: 'Continue as admin' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(page.url()).not.toContain('code')
    await open('/ui/login', { loggedOut: true, after: page })
    await page.goto(link)
    await page.getByText('run "stagely open" again').waitFor()
    expect(await page.getByRole('button', { name: /^Continue/ }).count()).toBe(0)
  })

  it('logs out in all tabs at once, and forgets what was staged', async () => {
    const { open, token } = given()
    const page = await open('/ui/')
    const other = await open('/ui/t/default/p/shop', { beside: page })
    await other.getByRole('row', { name: /^SENTRY_DSN/ }).click()
    await other.keyboard.press('Delete')
    await other.getByText('1 staged').waitFor()
    await page.getByRole('button', { name: 'settings and log out' }).click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
    await page.getByLabel('Token').waitFor()
    await other.getByLabel('Token').fill(token)
    await other.keyboard.press('Enter')
    await other.getByRole('row', { name: /^shop/ }).getByRole('link').first().click()
    await other.getByRole('row', { name: /^SENTRY_DSN/ }).waitFor()
    expect(await other.getByText('1 staged').count()).toBe(0)
  })

  it('opens one stream for all tabs, and all of them are live, also when the first one closes', async () => {
    const { open } = given()
    const before = await streamsOf(given())
    const first = await open('/ui/', { anew: true })
    const tabs = Array.from({ length: soak(2, 7) }, () => open('/ui/', { beside: first }))
    const others = await Promise.all(tabs)
    await expect.poll(async () => (await streamsOf(given())) - before).toBe(1)
    await first.close()
    await expect.poll(async () => (await streamsOf(given())) - before).toBe(2)
    for (const page of others) await page.getByText(/^live/).waitFor()
  })

  it('reads its lists also where a tab hears of an event before it hears how the stream stands', async () => {
    const { open } = given()
    const first = await open('/ui/')
    const page = await open('/ui/agents', { beside: first })
    await page.addInitScript(eventFirst)
    await page.reload()
    await page.getByRole('link', { name: 'box' }).waitFor()
  })

  it('shows all shortcuts, and lets single letters be turned off', async () => {
    const { open, axe } = given()
    const page = await open('/ui/')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Shortcuts' }).waitFor()
    expect(await axe(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'settings and log out' }).click()
    await page.getByRole('menuitemradio', { name: 'Single-letter shortcuts' }).click()
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  it('goes into the list by `j` from anywhere, and begins in the first field of a dialog', async () => {
    const { open } = given()
    const focused = (page: Page) =>
      page.evaluate<string>('document.activeElement?.textContent ?? ""')
    const page = await open('/ui/agents')
    await page.getByRole('link', { name: 'box' }).waitFor()
    await page.keyboard.press('j')
    expect(await focused(page)).toBe('box')
    await page.keyboard.press('n')
    await page.getByRole('dialog', { name: 'Add a machine' }).waitFor()
    await page.keyboard.type('web-9')
    expect(await page.getByLabel('Name').inputValue()).toBe('web-9')
    await page.keyboard.press('Escape')
    await open('/ui/t/default/p/shop', { after: page })
    await page.getByRole('row', { name: /^LOG_LEVEL/ }).waitFor()
    await page.keyboard.press('j')
    expect(await page.evaluate('document.activeElement?.role')).toMatch(/gridcell|rowheader/)
  })

  it('keeps in a narrow window all pages in the bar, and what a revision changed in the list of revisions', async () => {
    const { open } = given()
    const page = await open('/ui/t/default/p/shop/revisions', { width: 360, height: 740 })
    await page.getByRole('cell', { name: /LOG_LEVEL/ }).waitFor()
    const links = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').all()
    expect(links).toHaveLength(12)
    for (const link of links) {
      const { x = -1, y = -1, width = 0, height = 0 } = (await link.boundingBox()) ?? {}
      expect([x >= 0, y >= 0, x + width <= 360, y + height <= 740]).not.toContain(false)
    }
  })
}
