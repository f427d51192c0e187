// Values that people do not give: those of a store elsewhere, and of a rotation. The stagelet is paused for the rotation,
// so that no container is re-created, and somebody is waited for.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startPlainVault, type PlainVault } from '../support/stores/plain-vault.ts'
import { canary, type Dashboard } from './dashboard.ts'

const secrets = '/projects/default%2Fshop/secrets'
const rotations = '/projects/default%2Fshop/rotations'

export const elsewhereTests = (given: () => Dashboard): void => {
  let vault: PlainVault

  beforeAll(async () => {
    vault = await startPlainVault(`token of ${canary}`)
    vault.put('prod/shop/mail', `of the store: ${canary}`)
  })
  afterAll(() => {
    vault?.close()
  })

  it('shows a store elsewhere: how fresh it is, how much it is asked, and what is wrong with it', async () => {
    const { open, rest } = given()
    await rest('POST', secrets, {
      key: 'VAULT_TOKEN',
      value: `token of ${canary}`,
      audience: 'Controller',
    })
    const store = {
      team: 'default',
      name: 'vault',
      vault: { address: vault.url },
      auth: { secret: 'none' },
      allow: { projects: ['shop'], remote: ['prod/*'] },
    }
    await rest('POST', '/stores', store)
    const external = { store: 'vault', key: 'prod/shop/mail', property: '/value' }
    await rest('POST', secrets, { key: 'MAIL', scope: 'nobody', value_from: { external } })

    const page = await open('/ui/stores')
    const row = page.getByRole('row', { name: /^vault/ })
    await row.getByText('Not ready').waitFor()
    await page.getByText('1 needs attention').waitFor()
    await rest('PATCH', '/stores/default%2Fvault', { auth: { secret: 'vault-token' } })
    await expect.poll(() => rest('GET', '/stores/default%2Fvault')).toContain('"secrets":1')
    await page.getByRole('button', { name: 'Sync now: vault' }).click()
    await page.getByText('Sync started.').waitFor()
    await row.getByText('Fresh', { exact: true }).waitFor()
    await row.getByText(`Vault or OpenBao, ${vault.url}`).waitFor()
    await row.getByText(/^[1-9]\d* of 60$/).waitFor()
    await row.getByText('1 secret', { exact: true }).waitFor()

    // The panel of the secret says the same, by way of the link of the store.
    await row.getByRole('link', { name: 'shop' }).click()
    await page.getByRole('row', { name: /^MAIL/ }).click()
    const panel = page.getByRole('complementary')
    await panel.getByText('prod/shop/mail, /value of the store vault, its version 1').waitFor()
    await panel.getByText('Last sync').waitFor()
    expect(await panel.innerText()).toMatch(/Last sync\s+(now|\d+ s ago)/)
    for (const id of ['mail.nobody', 'vault-token']) await rest('DELETE', `${secrets}/${id}`)
    await rest('DELETE', '/stores/default%2Fvault')
  })

  it('shows the steps of a rotation as a line and who is waited for; runs and pauses it', async () => {
    const { open, rest, axe, stack } = given()
    const before = await stack.containers()
    await rest('PATCH', '/stagelets/default%2Fshop', { paused: true })
    const rotation = { name: 'signing', output: 'current' }
    await rest('POST', secrets, { key: 'SIGNING', scope: 'web', value_from: { rotation } })
    await rest('POST', rotations, {
      name: 'signing',
      outputs: { current: 'signing.web' },
      rotator: { generate: { order: 'SwitchFirst' } },
    })
    const page = await open('/ui/t/default/p/shop')
    await page.getByRole('link', { name: 'Rotations' }).click()
    const steps = page.getByRole('list', { name: 'Steps' }).getByRole('listitem')
    await expect.poll(() => steps.allInnerTexts()).toHaveLength(7)
    await page.getByText('Rotated', { exact: true }).waitFor()
    expect((await steps.allInnerTexts()).map((text) => text.split('\n')[1])).toEqual([
      ...['Prepare', 'Set', 'Test', 'Roll out', 'Prove', 'Overlap', 'Revoke'],
    ])

    await page.getByRole('button', { name: 'Run now: signing' }).click()
    await page.getByRole('button', { name: 'Rotate signing' }).click()
    const here = page.locator('[aria-current=step]')
    await page.getByText('Blocked', { exact: true }).waitFor()
    expect(await here.innerText()).toMatch(/^!\s+Prove\s+since /)
    const waits = page.getByRole('list', { name: 'Blocked by' }).getByRole('listitem')
    expect(await waits.innerText()).toMatch(/shop[^]*paused/)
    await page.getByText('History').last().click()
    await page
      .getByRole('table', { name: 'History of signing' })
      .getByText(/Preparing/)
      .first()
      .waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByRole('button', { name: 'Pause signing' }).click()
    await page.getByRole('button', { name: 'Resume signing' }).waitFor()
    await page.getByRole('link', { name: 'signing.web' }).click()
    await page.getByText('set by the rotation signing: current').waitFor()
    await page.getByText('The rotation signing sets this value: run the rotation').waitFor()
    expect(await page.getByRole('button', { name: 'Replace value' }).count()).toBe(0)

    await rest('DELETE', `${rotations}/signing`)
    await rest('DELETE', `${secrets}/signing.web`)
    await rest('PATCH', '/stagelets/default%2Fshop', { paused: false })
    expect(await stack.containers()).toEqual(before)
  })

  it('restores a deleted secret after it showed what that re-creates, and erases one for good', async () => {
    const { open, rest } = given()
    const remove = async (key: string): Promise<void> => {
      const made = await rest('POST', secrets, { key, scope: 'nobody', value: 'was here' })
      await rest('DELETE', `${secrets}/${(JSON.parse(made) as { id: string }).id}`)
    }
    for (const key of ['BACK', 'GONE']) await remove(key)
    const page = await open('/ui/t/default/p/shop/revisions')
    await page.getByRole('link', { name: 'Deleted secrets' }).click()
    const row = (key: string) => page.getByRole('row', { name: new RegExp(`^${key}`) })
    await row('GONE')
      .getByText(/^in \d+ d$/)
      .waitFor()
    await page.getByRole('button', { name: 'Erase GONE of nobody' }).click()
    // What is asked stays while the list is read again, for two revisions more.
    await remove('LATER')
    await page.locator('tr', { hasText: 'LATER' }).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Erase GONE' }).click()
    await row('GONE').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Restore BACK of nobody' }).click()
    await page.getByRole('button', { name: 'Restore: no container changes' }).click()
    await page.getByRole('heading', { name: /^Revision \d+/ }).waitFor()
    await page.getByRole('link', { name: 'Secrets' }).click()
    await page.getByRole('row', { name: /^BACK/ }).waitFor()
    await rest('DELETE', `${secrets}/back.nobody`)
  })
}
