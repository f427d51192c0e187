// The audit log: who did what, and its chain, which the browser verifies.
import { expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { openPg } from '../../src/store/drivers/pg.ts'
import type { Dashboard } from './dashboard.ts'

export const auditTests = (given: () => Dashboard): void => {
  it('verifies the chain in the browser, with a head that was kept, and names the first bad row', async () => {
    const { open, rest, database, axe } = given()
    const head = await rest('GET', '/audit/head')
    const page = await open('/ui/audit')
    await page.getByText(/linked to row \d+/).waitFor()
    await page.getByText('Not verified in this browser').waitFor()
    await page.getByLabel('Saved signed head').fill(head)
    await page.getByRole('button', { name: 'Verify in this browser' }).click()
    await page.getByText(/Verified in this browser to row \d+/).waitFor()
    await page.getByText('The saved head is in this chain.').waitFor()
    expect(await axe(page)).toEqual([])

    const sql = openPg({ databaseUrl: database, clock: realClock, log: silentLogger })
    try {
      await sql.exec(`UPDATE audit SET action = 'read' WHERE seq = 3`)
      await page.getByRole('button', { name: 'Verify in this browser' }).click()
      await page.getByText('First bad row: 3.').waitFor()
      expect(await axe(page)).toEqual([])
    } finally {
      await sql.exec(`UPDATE audit SET action = 'create' WHERE seq = 3`)
      await sql.close()
    }
    await page.getByRole('button', { name: 'Verify in this browser' }).click()
    await page.getByText(/Verified in this browser to row \d+/).waitFor()
  })

  it('filters rows by the address, and says how many came since', async () => {
    const { open, rest } = given()
    const page = await open('/ui/audit', { own: true })
    const table = page.getByRole('table', { name: 'Audit events, newest first' })
    await table.waitFor()
    await page.clock.install()
    await rest('GET', '/audit/export')
    await page.clock.runFor(10_000)
    await page.getByRole('button', { name: /^\d+ new$/ }).click()
    await table.getByText('export audit').first().waitFor()
    const kind = page.getByLabel('Kind')
    await kind.pressSequentially('Project')
    // Rows that come meanwhile draw the page anew.
    await rest('GET', '/audit/export')
    await page.clock.runFor(10_000)
    await page.getByRole('button', { name: /^\d+ new$/ }).waitFor()
    await expect.poll(() => kind.inputValue()).toBe('Project')
    await page.keyboard.press('Enter')
    await table.getByText('Project default/shop').first().waitFor()
    await expect.poll(() => page.url()).toContain('kind=Project')
    await table.getByText('StagelySecret').first().waitFor({ state: 'detached' })
  })
}
