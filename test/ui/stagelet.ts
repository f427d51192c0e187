// One stagelet: its services, a change that broke one, what one can do about it, and why a service has a value.
import { expect, it } from 'vitest'
import type { Typed } from '../../src/kinds/typed.ts'
import { canary, values, type Dashboard } from './dashboard.ts'

const url = '/ui/t/default/s/shop'
const phone = { width: 360, height: 640 }

export const stageletTests = (given: () => Dashboard): void => {
  it('shows which rank wins and what it refers to', async () => {
    const { open, world } = given()
    await world.call('POST', 'stagelysecrets', {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'StagelySecret',
      metadata: { name: 'greeting' },
      spec: {
        projectRef: { name: 'shop' },
        stageletRef: { name: 'shop' },
        key: 'LOG_LEVEL',
        scope: 'web',
        references: true,
        value: 'as ${SENTRY_DSN}',
      },
    })
    const page = await open(`${url}?tab=why&service=web&key=LOG_LEVEL`)
    const ranks = page.getByRole('list', { name: /^Ranks/ }).getByRole('listitem')
    await expect.poll(() => ranks.nth(0).innerText()).toMatch(/Wins\s+v1, by admin/)
    expect(await ranks.nth(3).innerText()).toMatch(
      /project · global\s+v\d+, by admin.*loses to rank 1/,
    )
    expect(await ranks.nth(4).innerText()).toMatch(/does not set it/)
    await page.getByRole('heading', { name: 'LOG_LEVEL refers to' }).waitFor()
    await page.getByText(/project · web, v\d+/).waitFor()
    await world.call('DELETE', 'stagelysecrets/greeting')
    await expect.poll(() => ranks.nth(3).innerText()).toMatch(/Wins/)
    // Its revision is still open: what the next test breaks would come with it.
    await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
  })

  it('shows a change that broke a service: what was rolled back, who is to blame, and its last masked lines', async () => {
    const { open, world } = given()
    const page = await open(url)
    await page.getByText('as declared').waitFor()
    await world.patchSecret('shop-database-url.backend', `broken-${canary}`)
    await page.getByText(/r\d+ broke backend, r\d+ runs/).waitFor()
    await page.getByText('exited with code 3').first().waitFor()
    await page.getByText(/^r\d+ by admin$/).waitFor()
    await page.getByRole('link', { name: 'DATABASE_URL' }).first().waitFor()
    const lines = page.getByLabel('Last 20 masked lines of backend')
    expect(await lines.innerText()).toMatch(/step 25\s+FATAL: no login with \*\*\*REDACTED\*\*\*/)
  })

  it('tries again, pauses, goes on, and deploys with its impact first, on a phone', async () => {
    const { open, world } = given()
    const page = await open(url, phone)
    await page.getByText(/broke backend/).waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    const rolledBackAt = async (): Promise<string | undefined> => {
      const { status } = (await world.read('stagelets/shop')) as Typed<'Stagelet'>
      const { result, finishedAt } = status?.lastRollout ?? {}
      return result === 'RolledBack' ? finishedAt : undefined
    }
    const before = (await rolledBackAt()) ?? ''
    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByText('box retries what failed').waitFor()
    // The value that still runs would be in sync at once, and the pause would come while the broken one is tried.
    await expect.poll(async () => ((await rolledBackAt()) ?? '') > before).toBe(true)
    await world.patchSecret('shop-database-url.backend', values.database)
    await page.getByText('as declared').waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('as declared').waitFor()
    await page.getByRole('button', { name: 'Deploy' }).click()
    await page.getByText('2 services are not touched').waitFor()
    await page.getByRole('button', { name: 'Deploy: no container changes' }).click()
    await page.getByText('The deployment of shop is requested.').waitFor()
  })

  it('counts printed secrets on the machine, and shows keys and numbers only', async () => {
    const { open, world } = given()
    // A container that is made anew just now has not printed its secret yet.
    await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
    const page = await open(url)
    await page.getByRole('button', { name: 'Leak test' }).click()
    await page.getByText(/DATABASE_URL was printed (once|\d+ times) by backend/).waitFor()
    await page.getByText(/^\d+ hits? in [\d,]+ lines$/).waitFor()
    const panel = page.locator('section').filter({ hasText: 'Leak test' })
    expect(await panel.innerText()).not.toMatch(/uses|FATAL/)
  })
}
