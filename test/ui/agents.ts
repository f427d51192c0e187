// Machines: what the list says, and how a new one joins.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startProgram } from '../support/programs/processes.ts'
import type { Dashboard } from './dashboard.ts'

export const agentTests = (given: () => Dashboard): void => {
  it('adds a machine by one command that is shown once, and shows that it joined without a reload', async () => {
    const page = await given().open('/ui/agents')
    expect(await page.getByRole('row', { name: /^box/ }).innerText()).toMatch(/Connected/)
    await page.getByRole('button', { name: 'Add machine' }).click()
    await page.getByLabel('Name').fill('web-9')
    await page.getByRole('button', { name: 'Make the command' }).click()
    await page.getByText('Waiting for the machine').waitFor()
    const command = await page.getByRole('dialog').locator('pre').innerText()
    const [, token = ''] = /'(sjt_[^']+)'/.exec(command) ?? []
    const folder = await mkdtemp(join(tmpdir(), 'stagely-agent-'))
    const args = ['agent', 'run', '--data-dir', folder, '--join', token, '--allow-dir', folder]
    const agent = await startProgram(args, {}, 'connected')
    try {
      await page.getByText(/^Joined after \d+ s$/).waitFor()
      await page.keyboard.press('Escape')
      const row = page.getByRole('row', { name: /^web-9/ })
      await row.getByText('Connected').waitFor()
      expect(await page.content()).not.toContain(token)
    } finally {
      await agent.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('drains a machine and ends that, and asks before it locks one out', async () => {
    const { open, rest } = given()
    const { id } = JSON.parse(await rest('GET', '/agents/default%2Fweb-9')) as { id: string }
    const page = await open(`/ui/t/default/a/${id}`)
    await page.waitForURL(/\/a\/web-9$/)
    await page.getByRole('button', { name: 'Drain' }).click()
    await page.getByRole('button', { name: 'Stop draining' }).click()
    await page.getByRole('button', { name: 'Drain', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('Its keys stop working').waitFor()
    await page.getByRole('button', { name: 'Revoke web-9' }).click()
    await page.getByText('Revoked', { exact: true }).first().waitFor()
  })

  it('says on each page why its list could not be read, and shows the list once it can be', async () => {
    const { open } = given()
    const page = await open('/ui/')
    const lists = /\/api\/v1\/(agents|projects|stagelets)\?/
    await page.route(lists, (route) => route.abort())
    await page.goto(page.url().replace('/ui/', '/ui/t/default/p/shop/settings'))
    const why = page.getByRole('main').getByText('The controller cannot be reached.')
    await why.first().waitFor()
    for (const name of ['Rollouts', 'Agents']) {
      await page.getByRole('link', { name, exact: true }).first().click()
      await page.getByRole('heading', { name, exact: true }).waitFor()
      await why.first().waitFor()
    }
    await page.unroute(lists)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('row', { name: /^box/ }).waitFor()
    expect(await why.count()).toBe(0)
  })
}
