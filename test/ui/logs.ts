// The logs of a stagelet, followed in a page.
import { expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import type { Dashboard } from './dashboard.ts'

const url = '/ui/t/default/s/shop?tab=logs'
const lines = (page: Page) => page.getByRole('group', { name: 'Lines of shop' })
const topOf = (page: Page): Promise<number> =>
  page.evaluate(`document.querySelector('[aria-label="Lines of shop"]').scrollTop`)
const numbersIn = async (page: Page): Promise<number[]> =>
  [...(await lines(page).innerText()).matchAll(/request (\d+)/g)].map(([, n]) => Number(n))

export const logTests = (given: () => Dashboard): void => {
  it('follows masked lines, with colours as classes and controls as text; filters in the page, and neither the address nor the storage holds what is searched for', async () => {
    const page = await given().open(url)
    await lines(page).getByText('INFO').first().waitFor()
    expect(await lines(page).innerText()).toMatch(/INFO request \d+\^G/)
    const [first = 0] = (await numbersIn(page)).slice(-1)
    await expect.poll(async () => (await numbersIn(page)).at(-1)).toBeGreaterThan(first + 3)

    const [some = 0] = (await numbersIn(page)).slice(-1)
    await page.getByLabel('Filter lines').fill(`REQUEST ${some}`)
    await expect
      .poll(async () => (await numbersIn(page)).every((n) => String(n).startsWith(String(some))))
      .toBe(true)
    const kept = await page.evaluate('location.href + JSON.stringify({ ...localStorage })')
    expect(kept).not.toContain('REQUEST')
  })

  it('stays where a person scrolled to, says how many lines came, and follows again', async () => {
    const page = await given().open(url)
    await lines(page).getByText('INFO').first().waitFor()
    await expect.poll(() => topOf(page)).toBeGreaterThan(300)
    await lines(page).hover()
    await page.mouse.wheel(0, -250)
    const chip = page.getByRole('button', { name: /[3-9] new/ })
    await chip.waitFor()
    const before = await topOf(page)
    await page.getByRole('button', { name: /[5-9] new/ }).waitFor()
    expect(await topOf(page)).toBe(before)
    await page.getByRole('button', { name: / new/ }).click()
    await expect.poll(() => page.getByRole('button', { name: / new/ }).count()).toBe(0)
  })

  it('remembers the chosen services and settings, and saves what is shown', async () => {
    const page = await given().open(url)
    await page.getByRole('checkbox', { name: 'backend' }).uncheck()
    await page.getByRole('checkbox', { name: 'times' }).uncheck()
    await page.goto(`${given().url}${url}`)
    await lines(page).getByText('INFO').first().waitFor()
    expect(await page.getByRole('checkbox', { name: 'backend' }).isChecked()).toBe(false)
    expect(await lines(page).innerText()).not.toMatch(/\d\d:\d\d:\d\d/)
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download' }).click()
    expect((await saved).suggestedFilename()).toBe('shop.log')
  })

  it('says that lines were dropped, and that the logs ended', async () => {
    const { open } = given()
    const page = await open('/ui/')
    await page.route('**/logs?*', (route) =>
      route.fulfill({
        contentType: 'application/x-ndjson',
        body: `${JSON.stringify({ type: 'dropped', lines: 312 })}\n${JSON.stringify({ type: 'end', error: 'the agent went away' })}\n`,
      }),
    )
    await page.evaluate(
      `history.pushState(null, '', '${url}'); dispatchEvent(new PopStateEvent('popstate'))`,
    )
    await page.getByText('312 lines were left out here').waitFor()
    await page.getByText('the agent went away').waitFor()
    await page.getByRole('button', { name: 'Reconnect' }).waitFor()
  })

  it('opens two streams in a browser, says so in the third tab, and begins there when one ends', async () => {
    const { open } = given()
    const first = await open(url)
    const others = [await open(url, { beside: first }), await open(url, { beside: first })]
    await others[1]?.getByText('Two other tabs of this browser follow logs').waitFor()
    await first.close()
    await lines(others[1] as Page)
      .getByText('INFO')
      .first()
      .waitFor()
  })
}
