// Forms of the kinds, the page of all stacks, and the first steps of a team that has nothing yet.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'
import { goTo } from './within.ts'

export const formTests = (given: () => Dashboard): void => {
  it('shows what an edit of a stack re-creates before it is done, and what is wrong with another one at its fields', async () => {
    const { open, rest } = given()
    const before = await rest('GET', '/stagelets/default%2Fshop')
    const page = await open('/ui/t/default/s/shop')
    await page.getByRole('button', { name: 'Edit shop' }).click()
    await page.getByLabel('Delete volumes').check()
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText('No container is re-created.').waitFor()
    await page.getByText('comes: deleteVolumes: true').waitFor()
    await page.getByRole('button', { name: 'Back to the form' }).press('Enter') // a message may lie over it
    expect(await page.getByLabel('Delete volumes').isChecked()).toBe(true)
    await page.getByLabel('Directory', { exact: true }).fill('/srv/elsewhere')
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText('The agent then reads the Compose files anew').waitFor()
    expect(await page.getByText('No container is re-created').count()).toBe(0)
    const { conditions: _, ...declared } = JSON.parse(before) as Record<string, unknown>
    const after = JSON.parse(await rest('GET', '/stagelets/default%2Fshop')) as object
    expect(after).toMatchObject({ compose: declared['compose'], paused: false })
    expect(after).not.toHaveProperty('delete_volumes')
  })

  it('shows all stacks with their services, and those in which all words stand', async () => {
    const { open } = given()
    const page = await open('/ui/stacks')
    const row = page.getByRole('row', { name: /shop\/shop/ })
    await row.getByText('backend').first().waitFor()
    await page.getByLabel('Filter').fill('shop nowhere')
    await page.getByText('No stack has all of these words.').waitFor()
    await page.getByLabel('Filter').fill('shop backend')
    await row.waitFor()
  })

  it('makes a team, and leads it from nothing to its first machine', async () => {
    const { open, rest } = given()
    const page = await open('/ui/people')
    await page.getByRole('button', { name: 'New team' }).click()
    await page.getByLabel('Name').fill('payments')
    await page.getByRole('button', { name: 'Make the team' }).click()
    await page.waitForURL(/payments\/members/)
    await goTo(page, '/ui/?team=payments')
    await page.getByText('First steps').waitFor()
    await page.getByRole('button', { name: 'New project' }).click()
    await page.getByLabel('Name', { exact: true }).fill('billing')
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByRole('button', { name: 'Make the project' }).click()
    await page.getByText('The project billing is there').waitFor()
    await page.getByRole('button', { name: 'Make the command' }).waitFor()
    await rest('DELETE', '/projects/payments%2Fbilling')
    await page.getByRole('button', { name: 'New project' }).waitFor()
    await rest('DELETE', '/teams/payments')
  })
}
