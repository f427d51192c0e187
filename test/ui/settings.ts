// What is told to whom, the settings of a project, and the expiry of a secret.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'

interface Answered {
  readonly secret_policy?: object
  readonly expiry?: object
}

export const settingsTests = (given: () => Dashboard): void => {
  it('makes a notifier, shows what an edit of it changes, tests it, and deletes it', async () => {
    const { open, rest } = given()
    const page = await open('/ui/notifiers')
    await page.getByText('No notifiers yet').waitFor()
    await page.getByRole('button', { name: 'New notifier' }).click()
    await page.getByLabel('Name', { exact: true }).fill('ops')
    await page.getByLabel('a container was changed by hand').check()
    await page.getByLabel('Which one').selectOption('webhook')
    await page.getByLabel('Url').fill('no address')
    await page.keyboard.press('Control+Enter')
    // All that is wrong stands at its field, and nothing is lost.
    await page.getByText('Nothing was stored.').waitFor()
    expect(await page.getByLabel('Url').getAttribute('aria-invalid')).toBe('true')
    await page.getByText('must be a URL').waitFor()
    await page.getByLabel('Url').fill('https://hooks.example.com/s')
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText('No container is re-created by this.').waitFor()
    await page.getByRole('button', { name: 'Make the notifier' }).click()
    const row = page.getByRole('row', { name: /^ops/ })
    await row.getByText('Nothing sent yet').waitFor()
    await page.getByRole('button', { name: 'Edit ops' }).click()
    // What is typed in the YAML is in the form, and the other way round.
    const yaml = page.getByLabel('YAML')
    await yaml.fill((await yaml.inputValue()).replace('- Drifted', '- Drifted\n    - Expired'))
    expect(await page.getByLabel('a secret has expired').isChecked()).toBe(true)
    await page.getByLabel('Which one').selectOption('email')
    await page.getByLabel('To', { exact: true }).fill('ops@example.com')
    expect(await yaml.inputValue()).toContain('    to:\n      - "ops@example.com"')
    await page.getByRole('button', { name: 'Review' }).click()
    const diff = page.getByRole('group', { name: 'What changes' })
    await diff.waitFor()
    expect(await diff.locator('div').allTextContents()).toEqual(
      expect.arrayContaining(['− goes:   webhook:', '+ comes:   email:']),
    )
    await page.getByRole('button', { name: 'Apply' }).click()
    await row.getByText('E-mail: ops@example.com').waitFor()
    expect(await rest('GET', '/notifiers/default%2Fops')).not.toContain('webhook')
    await page.getByRole('button', { name: 'Test ops' }).click()
    await page.getByText('ops: the controller knows no mail server').waitFor()
    await page.getByRole('button', { name: 'Delete ops' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete ops' }).click()
    await page.getByText('No notifiers yet').waitFor()
  })

  it('says of a project that was deleted while its page is open that it is not there', async () => {
    const { open, rest } = given()
    await rest('POST', '/projects', { name: 'brief', team: 'default' })
    const page = await open('/ui/t/default/p/brief/settings')
    const classes = page.waitForResponse(/value-classes/)
    await page.getByRole('link', { name: 'Secrets' }).click()
    await page.getByText('No secrets yet').waitFor()
    await classes // an answer after the deletion would be a 404 in the console
    await rest('DELETE', '/projects/default%2Fbrief')
    await page.getByText('Not found, or you have no access.').waitFor()
    await page.getByText('No secrets yet').waitFor({ state: 'detached' })
  })

  it('changes the settings of a project and the expiry of a secret, each after a diff', async () => {
    const { open, rest } = given()
    const read = async (path: string): Promise<Answered> =>
      JSON.parse(await rest('GET', path)) as Answered
    const page = await open('/ui/t/default/p/shop/settings')
    await page.getByRole('button', { name: 'Edit shop' }).click()
    await page.getByText('Secret policy').click()
    await page.getByLabel('Max age').fill('90d')
    await page.getByText('More: exempt, enforce').click()
    await page.getByLabel('Exempt').fill('LOG_LEVEL')
    await page.getByRole('button', { name: 'Review' }).click()
    const diff = page.getByRole('group', { name: 'What changes' })
    await diff.waitFor()
    expect(await diff.locator('div').allTextContents()).toEqual(
      expect.arrayContaining([
        '    description: "the shop"',
        ...['+ comes:   secretPolicy:', '+ comes:     maxAge: "90d"', '+ comes:     exempt:'],
        '+ comes:       - LOG_LEVEL',
      ]),
    )
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('90d at most, but for LOG_LEVEL').waitFor()
    expect((await read('/projects/default%2Fshop')).secret_policy).toMatchObject({
      max_age: '90d',
      exempt: ['LOG_LEVEL'],
    })
    await page.getByRole('link', { name: 'Secrets' }).click()
    await page.getByRole('row', { name: /^DATABASE_URL/ }).click()
    await page.getByText('set by a person').waitFor()
    await page.getByText(/^Maximum age$/).waitFor()
    await page.getByRole('button', { name: 'Edit the expiry' }).click()
    await page.getByLabel('The value expires').selectOption('after')
    await page.getByLabel('After', { exact: true }).fill('30d')
    await page.getByLabel('Warn before').fill('7d')
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click()
    await page
      .getByText('30d after the value was set, then notifiers send it; warnings 7d before')
      .waitFor()
    const url = '/projects/default%2Fshop/secrets/shop-database-url.backend'
    expect((await read(url)).expiry).toEqual({ after: '30d', warn: ['7d'] })
    await rest('PATCH', url, { expiry: null })
    await rest('PATCH', '/projects/default%2Fshop', { secret_policy: null })
  })
}
