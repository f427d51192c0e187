// What the page does not know is not drawn as if there were none, and what did not come is asked for again: lists, and
// the files of pages; after an upgrade too.
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { canary, type Dashboard } from './dashboard.ts'

const couldNot = 'This page could not be loaded'

const rail = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name })

const stageOne = async (page: Page): Promise<void> => {
  await page.getByRole('row', { name: /^SENTRY_DSN/ }).click()
  await page.keyboard.press('e')
  await page.getByLabel('New value').fill(`https://${canary}@example.com`)
  await page.getByRole('button', { name: /^Stage/ }).click()
  await page.getByText('1 staged').waitFor()
}

const discard = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Discard' }).click()
  await page.getByRole('button', { name: /^Discard 1 edit/ }).click()
  await page.getByText('1 staged').waitFor({ state: 'detached' })
}

export const notKnownTests = (given: () => Dashboard): void => {
  it('says of a page whose file does not come why, and shows the page by itself once it comes', async () => {
    const { open, axe } = given()
    const page = await open('/ui/', { anew: true })
    await page.route('**/assets/agents-*', (route) => route.abort())
    await rail(page, 'Agents').click()
    await page.getByRole('heading', { name: couldNot }).waitFor()
    await page.getByRole('alert').getByText('Retrying automatically.').waitFor()
    await page.getByRole('button', { name: 'Try again' }).waitFor()
    expect(await axe(page)).toEqual([])
    await page.unrouteAll()
    await page.getByRole('link', { name: 'box' }).waitFor()
  })

  it('goes on after the network was away: pages come by themselves, and what is staged is still there', async () => {
    const { open, setOnline } = given()
    const page = await open('/ui/t/default/p/shop', { anew: true })
    await stageOne(page)
    setOnline(false)
    await rail(page, 'Rollouts').click()
    await page.getByRole('heading', { name: couldNot }).waitFor()
    await page.getByRole('alert').getByText('The controller cannot be reached.').waitFor()
    setOnline(true)
    await page.getByRole('heading', { name: 'Rollouts', exact: true }).waitFor()
    await page.goBack()
    await page.getByText('1 staged').waitFor()
    await page.getByText(/^live/).first().waitFor()
    await discard(page)
  })

  it('says of a list that could not be read that it is not known, on each page that shows it, and reads it again', async () => {
    const { open } = given()
    const page = await open('/ui/', { after: await open('/ui/me') })
    await page.route(/\/api\/v1\/(stagelets|attention)\?/, (route) => route.abort())
    await page.reload()
    const failed = page.getByRole('alert').getByText('The controller cannot be reached.')
    await failed.waitFor()
    await page.getByText('how many need attention is not known').waitFor()
    await page.getByRole('cell', { name: 'not known' }).first().waitFor()
    const said = await page.locator('main').innerText()
    for (const none of ['none', 'First steps', 'What runs is what is declared'])
      expect(said).not.toContain(none)
    await rail(page, 'Agents').click()
    await page.getByRole('cell', { name: 'not known' }).waitFor()
    await page.getByRole('link', { name: 'box' }).click()
    await failed.waitFor()
    expect(await page.getByText('No stagelets on this agent').count()).toBe(0)
    await page.unrouteAll()
    await page.getByRole('link', { name: 'shop' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  it('says that a new version is there, and loads it only when nothing is staged any more', async () => {
    const { open, setOnline } = given()
    const page = await open('/ui/t/default/p/shop', { anew: true })
    await stageOne(page)
    const next = '<script type="module" src="/ui/assets/index-AnyOther.js"></script>'
    await page.route(/\/ui\/$/, (route) =>
      route.request().resourceType() === 'fetch' ? route.fulfill({ body: next }) : route.fallback(),
    )
    // Files of the version before are gone.
    await page.route('**/assets/*.js*', (route) => route.abort())
    setOnline(false)
    setOnline(true)
    const notice = page.getByText('A new version of the dashboard is there.')
    await notice.waitFor()
    const reload = page.getByRole('button', { name: 'Reload the page' })
    expect(await reload.getAttribute('aria-disabled')).toBe('true')
    await rail(page, 'Activity').click()
    await page.getByRole('heading', { name: couldNot }).waitFor()
    // The way to apply what is staged needs no file that is gone.
    await page.getByRole('link', { name: '1 staged edit of shop' }).click()
    await page.getByRole('heading', { name: 'Review' }).waitFor()
    await page.getByText('SENTRY_DSN', { exact: true }).first().waitFor()
    await page.goBack()
    await page.goBack()
    await discard(page)
    await page.unrouteAll()
    await reload.click()
    await notice.waitFor({ state: 'detached' })
    await page.getByText(/^live/).first().waitFor()
  })
}
