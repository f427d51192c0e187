// The site of the documents, in the browser that also shows the dashboard.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'

export const documentTests = (given: () => Dashboard): void => {
  it('shows the documents to whoever has no login, finds in them, and asks nobody else', async () => {
    const { open, url } = given()
    const page = await open('/docs/', { own: true, loggedOut: true })
    const elsewhere: string[] = []
    const refused: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/docs/`)) elsewhere.push(request.url())
    })
    page.on('response', (answer) => {
      if (answer.status() >= 400) refused.push(answer.url())
    })
    await page.reload()
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('searchbox').fill('dead machine')
    await page.getByRole('option').first().waitFor()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.url()).toMatch(/\/docs\/[a-z-]+#/)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.getByRole('navigation', { name: 'Sidebar' }).getByRole('link').first().click()
    expect(elsewhere).toEqual([])
    expect(refused).toEqual([])
  })

  it('leads from the dashboard to the documents', async () => {
    const { open } = given()
    const page = await open('/ui/', { own: true })
    await page.getByRole('button', { name: 'settings and log out' }).click()
    const opened = page.context().waitForEvent('page')
    await page.getByRole('menuitem', { name: 'Documentation' }).click()
    await (await opened).waitForURL('**/docs/')
  })
}
