// Login, the shell, and how honest the page is about being live.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'

const stored = `JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href, document.documentElement.outerHTML])`

export const shellTests = (given: () => Dashboard): void => {
  it('logs in by a token, lands on the page that was asked for, and keeps no credential', async () => {
    const { open, token } = given()
    const page = await open('/ui/?team=default', { loggedOut: true })
    await page.getByLabel('Token').fill('stg_wrong')
    await page.keyboard.press('Enter')
    await page.getByText('This token is not valid').waitFor()
    await page.getByLabel('Token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.getByText(/^live/).waitFor()
    expect(page.url()).toMatch(/\/ui\/\?team=default$/)
    const everything = await page.evaluate<string>(stored)
    expect(everything).not.toContain(token)
    expect(await page.evaluate('document.cookie')).toBe('')
    expect(await page.evaluate('indexedDB.databases()')).toEqual([])
  })

  it('names the person whom a link of the command line would log in, and logs in by the link once', async () => {
    const { open, world } = given()
    const link = (await world.must('open', '--print')).trim()
    const page = await open('/ui/login', { loggedOut: true })
    await page.goto(link)
    await page.getByRole('button', { name: 'Continue as admin' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(page.url()).not.toContain('code')
    const other = await open('/ui/login', { loggedOut: true })
    await other.goto(link)
    await other.getByText('run "stagely open" again').waitFor()
    expect(await other.getByRole('button', { name: /^Continue/ }).count()).toBe(0)
  })

  it('logs out in all tabs at once', async () => {
    const { open } = given()
    const page = await open('/ui/')
    const other = await open('/ui/', { beside: page })
    await page.getByRole('button', { name: 'settings and log out' }).click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
    await page.getByLabel('Token').waitFor()
    await other.getByLabel('Token').waitFor()
  })

  it('opens one stream for eight tabs, and all of them are live, also when the first one closes', async () => {
    const { open } = given()
    const first = await open('/ui/')
    let streams = 0
    first.context().on('request', (request) => {
      if (request.url().endsWith('/api/v1/stream')) streams += 1
    })
    const others = []
    for (let i = 0; i < 7; i++) others.push(await open('/ui/', { beside: first }))
    expect(streams).toBe(0)
    await first.close()
    await expect.poll(() => streams).toBe(1)
    for (const page of others) await page.getByText(/^live/).waitFor()
  })

  it('says since when it is not live, turns hollow, and comes back', async () => {
    const { open, setOnline } = given()
    const page = await open('/ui/')
    setOnline(false)
    await page.getByText(/^as of \d\d:\d\d:\d\d$/).waitFor()
    expect(await page.evaluate("document.documentElement.hasAttribute('data-stale')")).toBe(true)
    setOnline(true)
    await page.getByText(/^live/).waitFor()
    expect(await page.evaluate("document.documentElement.hasAttribute('data-stale')")).toBe(false)
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
    await page.getByRole('menuitemradio', { name: 'Shortcuts of one letter' }).click()
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  it('has nothing that keeps a person out, in both themes, narrow and with forced colours', async () => {
    const { open, axe } = given()
    for (const options of [
      { scheme: 'light' },
      { scheme: 'dark' },
      { width: 320, height: 640, scheme: 'dark' },
      { forcedColors: 'active' },
    ] as const) {
      expect(await axe(await open('/ui/', options))).toEqual([])
      expect(await axe(await open('/ui/nowhere', options))).toEqual([])
    }
    expect(await axe(await open('/ui/login', { loggedOut: true }))).toEqual([])
  })

  it('fits into 320 pixels', async () => {
    const page = await given().open('/ui/', { width: 320, height: 640 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
  })
}
