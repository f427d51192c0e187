// Rollouts: how far the newest revision is, and their control.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'

export const rolloutTests = (given: () => Dashboard): void => {
  it('pauses a rollout and goes on, on a phone', async () => {
    const { open, world } = given()
    const page = await open('/ui/t/default/p/shop/revisions/newest', { width: 360, height: 640 })
    await page.getByText('1 of 1 healthy').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('in batches').waitFor()
    await world.patchSecret('shop-log-level.global', 'debugging')
    await page.getByText(/0 of 1 healthy/).waitFor()
    await page.getByText('Paused', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('1 of 1 healthy').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  })

  it('lists the rollouts of all projects, and how fast they were against what is promised', async () => {
    // As it was before: a bookmark leads to the page of today.
    const page = await given().open('/ui/propagation?days=7')
    await page.waitForURL(/\/ui\/revisions\?days=7$/)
    await page.getByText('1 of 1 healthy').waitFor()
    await page.getByRole('heading', { name: 'Propagation' }).waitFor()
    await page.getByRole('img', { name: /% within 1\.00 s, target 99 %/ }).waitFor()
    await page.getByLabel('Project').selectOption('shop')
    await page.waitForURL(/project=shop/)
    const stages = page.getByRole('table', { name: 'Time by stage' })
    await stages.getByRole('row', { name: /^Healthy .*\d m?s/ }).waitFor()
  })
}
