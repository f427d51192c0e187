// The overview: what runs, and what is not as declared.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'

export const overviewTests = (given: () => Dashboard): void => {
  it('shows projects and that what runs is what is declared', async () => {
    const page = await given().open('/ui/')
    await page.getByText('What runs is what is declared.').waitFor()
    const row = page.getByRole('row', { name: /^shop/ })
    expect(await row.innerText()).toMatch(/shop\s+the shop\s+default\s+3/)
    expect(await page.title()).toBe('● Overview · Stagely')
  })

  it('shows that a container was removed by hand, and that it was healed, without a reload', async () => {
    const { open, stack } = given()
    const page = await open('/ui/')
    const { web } = await stack.containers()
    await stack.docker('rm', '-f', web?.id ?? '')
    await page.getByText(/^healing: web .*was removed/).waitFor()
    await page.getByText('What runs is what is declared.').waitFor()
    const lately = page.getByRole('list', { name: 'What happened lately' })
    await lately.getByText(/web .*was removed; healed/).waitFor()
    expect((await stack.containers())['web']?.id).not.toBe(web?.id)
  })
}
