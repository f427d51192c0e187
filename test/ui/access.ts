// Guarded values: one person asks, another one decides, and the pages say what is open.
import { expect, it } from 'vitest'
import { canary, type Dashboard } from './dashboard.ts'
import { goTo } from './within.ts'

const project = '/projects/default%2Fvaulted'
const url = '/ui/t/default/p/vaulted'

export const accessTests = (given: () => Dashboard): void => {
  it('asks for a guarded value, decides on it with what it reaches, shows who may read, and reviews an emergency', async () => {
    const { open, rest, axe } = given()
    await rest('POST', '/projects', { name: 'vaulted', team: 'default' })
    await rest('POST', `${project}/secrets`, { key: 'DB', value: `${canary}-guarded` })
    await rest('POST', '/users', { name: 'dora' })
    await rest('PUT', '/teams/default/members/dora', { role: 'developer' })
    const made = await rest('POST', '/users/dora/tokens', { name: 'hers' })
    const { token } = JSON.parse(made) as { token: string }
    await rest('POST', '/policies', {
      name: 'vaulted',
      projects: ['vaulted'],
      approvals: { users: ['admin'], roles: ['owner'] },
      break_glass: { users: ['admin'] },
    })

    const hers = await open(`${url}?secret=db.global`, { token })
    const panel = hers.getByRole('complementary')
    await panel.getByText('This value is guarded').waitFor()
    await panel.getByRole('button', { name: 'Ask for access…' }).click()
    await hers.getByLabel('Reason').fill('INC-42: refunds fail')
    await hers.getByLabel('For how long').fill('5h')
    expect(await axe(hers)).toEqual([])
    await hers.getByRole('button', { name: 'Ask', exact: true }).click()
    await hers.getByText('the policy gives 60m at most').first().waitFor()
    await hers.getByLabel('For how long').fill('30m')
    await hers.getByRole('button', { name: 'Ask', exact: true }).click()
    await panel.getByText('waits for an approval').waitFor()
    const name = await panel.getByRole('link', { name: /^req-/ }).innerText()
    await goTo(hers, '/ui/access')
    const yours = hers.getByRole('table', { name: 'Yours' })
    await yours.getByRole('row', { name: new RegExp(`^${name}`) }).waitFor()
    await hers.getByText('Nothing waits for your decision').waitFor()
    // Her own she may take back, and not approve.
    await goTo(hers, `/ui/t/default/access/${name}`)
    await hers.getByRole('button', { name: 'Take back' }).waitFor()
    expect(await hers.getByRole('button', { name: 'Approve' }).count()).toBe(0)

    const page = await open('/ui/access', { after: hers })
    await page.getByText('1 for you to decide').waitFor()
    expect(await axe(page)).toEqual([])
    const inbox = page.getByRole('table', { name: 'To decide' })
    await inbox.getByText('INC-42: refunds fail').waitFor()
    await inbox.getByRole('link', { name }).click()
    const reach = page.getByRole('table', { name: 'What is asked for' })
    expect(await reach.getByRole('row', { name: /^DB/ }).innerText()).toMatch(
      /global · version 1\s+no service\s+–\s+nobody/,
    )
    expect(await axe(page)).toEqual([])
    await page.getByRole('button', { name: 'Approve' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Note').fill('go ahead')
    await dialog.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('1 of 1').waitFor()
    await page.getByText('go ahead').waitFor()

    const reader = await open(`${url}?secret=db.global`, { token, after: page })
    await reader.getByText('You may read guarded values').waitFor()
    await reader.getByRole('button', { name: 'Show the value' }).click()
    await reader.getByText(`${canary}-guarded`).waitFor()
    await reader.keyboard.press('Escape')
    await reader.getByText(`${canary}-guarded`).waitFor({ state: 'detached' })

    const owner = await open(`${url}/settings`, { after: reader })
    await owner.getByText(`dora, request ${name}`).waitFor()
    await rest('POST', `${project}/access-requests`, { reason: 'INC-43', emergency: true })
    await owner.getByText('values were opened in an emergency').waitFor()
    expect(await axe(owner)).toEqual([])
    await rest('PUT', '/teams/default/members/dora', { role: 'owner' })
    const reviewer = await open('/ui/access', { token, after: owner })
    await reviewer.getByText('1 for you to decide').waitFor()
    await reviewer.getByRole('table', { name: 'To decide' }).getByRole('link').click()
    await reviewer.getByRole('button', { name: 'Review' }).click()
    await reviewer.getByLabel('Outcome').selectOption('Misuse')
    await reviewer.getByRole('dialog').getByRole('button', { name: 'Review' }).click()
    await reviewer.getByText('Review: Misuse').waitFor()
    await goTo(reviewer, url)
    await reviewer.getByText('values were opened in an emergency').waitFor({ state: 'detached' })

    await rest('DELETE', '/policies/default%2Fvaulted')
    await rest('DELETE', '/users/dora')
    await rest('DELETE', `${project}/secrets/db.global`)
    await rest('DELETE', project)
  })
}
