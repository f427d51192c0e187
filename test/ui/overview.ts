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

  it('says how long ago by the clock of the controller, where that of the browser is an hour off', async () => {
    const page = await given().open('/ui/', { own: true })
    await page.clock.setSystemTime(Date.now() + 3_600_000)
    await page.reload()
    const row = page.getByRole('row', { name: /^shop/ })
    await row.getByText(/^(now|\d+ s ago|\d+ min ago)$/).waitFor()
    await page.getByText(/^live · \d+ s$/).waitFor()
  })

  it('says in the title of the window that what it shows is not of now', async () => {
    const { open, setOnline } = given()
    const page = await open('/ui/')
    await expect.poll(() => page.title()).toBe('● Overview · Stagely')
    setOnline(false)
    await expect.poll(() => page.title()).toBe('○ Overview · Stagely')
    setOnline(true)
    await expect.poll(() => page.title()).toBe('● Overview · Stagely')
  })

  it('shows within seconds that a container was removed by hand, by whom, and that it was healed', async () => {
    const { open, stack, world } = given()
    const page = await open('/ui/')
    const { web } = await stack.containers()
    const began = Math.floor(Date.now() / 1000)
    const found = page.getByText(
      /^healing: web .*was removed, by \S+ \(as told by agent \S+\) with "stagely/,
    )
    const shown = found.waitFor().then(() => Date.now())
    const of = ['--agent-data-dir', world.agentDir, '--stagelet', 'shop']
    await world.must('compose', ...of, '--', 'rm', '-s', 'web')
    const shownAt = await shown
    const gone = (await stack.eventsSince(began, ['destroy'])).at(-1)
    const lateMs = Math.round(shownAt - (gone?.atMs ?? NaN))
    console.info(`overview: shown ${lateMs} ms after the container was gone`)
    // A person who stops a container is left 10 s for the next one; a deploy waits for nothing.
    await world.must('deploy', 'shop')
    await page.getByText('What runs is what is declared.').waitFor()
    const recent = page.getByRole('list', { name: 'Recent activity' })
    await recent.getByText(/web .*was removed, by .*"stagely compose rm -s web"; healed/).waitFor()
    expect((await stack.containers())['web']?.id).not.toBe(web?.id)
  })
}
