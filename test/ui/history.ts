// The history of a project: who, what, which containers run it; compare; and back, with the radius first.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'
import { secretYaml } from '../support/shop.ts'

export const historyTests = (given: () => Dashboard): void => {
  it('compares two revisions, and goes back to one after it showed which containers that re-creates', async () => {
    const { open, world, stack, axe } = given()
    const settled = () =>
      world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
    await world.apply(secretYaml('SENTRY_DSN', 'https://other@sentry.example.com/2', 'web'))
    await settled()
    const before = await stack.containers()
    const page = await open('/ui/t/default/p/shop/revisions')
    const table = page.getByRole('table', { name: 'Revisions, newest first' })
    await table.getByText('shop').first().waitFor()
    const newest = Number(
      /r(\d+)/.exec(await table.getByRole('rowheader').first().innerText())?.[1],
    )
    expect(await table.getByRole('row').nth(1).innerText()).toMatch(/admin[\s\S]*SENTRY_DSN/)

    await page.getByLabel(`Compare r${newest}`).check()
    await page.getByLabel(`Compare r${newest - 1}`).check()
    await page.getByRole('button', { name: 'Compare two' }).click()
    const panel = page.locator('section', {
      has: page.getByRole('heading', { name: `Against r${newest - 1}` }),
    })
    await panel.getByText('SENTRY_DSN').waitFor()
    expect(await panel.innerText()).toMatch(/other value, v\d+ → v\d+/)
    expect(page.url()).toContain(`/revisions/${newest}?against=${newest - 1}`)
    expect(await axe(page)).toEqual([])

    await page.goBack()
    await page.getByRole('link', { name: `r${newest - 1}`, exact: true }).click()
    await page.getByRole('button', { name: `Go back to r${newest - 1}…` }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('row', { name: /shop\s+web\s+re-created/ }).waitFor()
    expect(await dialog.innerText()).toMatch(/services? (is|are) not touched/)
    expect(await axe(page)).toEqual([])
    expect((await stack.containers())['web']?.id).toBe(before['web']?.id)
    await dialog.getByLabel('Reason').fill('the other one was wrong')
    await dialog.getByRole('button', { name: 'Go back: re-create 1 service' }).click()
    await page.getByText('the other one was wrong').waitFor()
    await settled()
    const after = await stack.containers()
    expect(after['web']?.id).not.toBe(before['web']?.id)
    expect(after['backend']?.id).toBe(before['backend']?.id)
  })
}
