// People: own tokens and sessions, members and roles, users, keys; and that the login is confirmed first.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'
import { goTo } from './within.ts'

export const peopleTests = (given: () => Dashboard): void => {
  it('makes a token after a confirmation, shows it once, and revokes it', async () => {
    const { open, token, axe } = given()
    const page = await open('/ui/me', { byLink: true })
    await page.getByText('this browser').waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByRole('button', { name: 'New token' }).click()
    await page.getByLabel('Name').fill('ci')
    await page.getByRole('button', { name: 'Create token' }).click()
    await page.getByText('Confirm your identity').waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByLabel('Your token', { exact: true }).fill('stg_wrong')
    await page.keyboard.press('Enter')
    await page.getByText('This token is not valid').waitFor()
    await page.getByLabel('Your token', { exact: true }).fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Copy your new token' }).waitFor()
    const made = await page.getByRole('dialog').locator('code').innerText()
    await page.getByRole('button', { name: 'I have saved it' }).click()
    const everything = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.documentElement.outerHTML])',
    )
    expect(everything).not.toContain(made)
    expect(everything).not.toContain(token)
    await page.getByRole('button', { name: 'Revoke ci' }).click()
    await page.getByRole('button', { name: 'Revoke token' }).click()
    await page.getByRole('button', { name: 'Revoke ci' }).waitFor({ state: 'detached' })
  })

  it('shows whom a team trusts, changes that by the form, and ends it', async () => {
    const { open, rest, axe } = given()
    const page = await open('/ui/t/default/tokens')
    await page.getByText('No trusted issuers yet').waitFor()
    const claims = { repository: 'acme/shop' }
    await rest('POST', '/issuers', {
      name: 'github',
      issuer: 'https://token.actions.githubusercontent.com',
      audience: 'us',
      rules: [{ claims, role: 'deployer', environments: ['preview'] }],
    })
    await page.getByText('repository acme/shop: deployer, environment preview').waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByRole('button', { name: 'Edit github' }).click()
    await page.getByLabel('Audience', { exact: true }).fill('https://stagely.example.com')
    expect(await axe(page)).toEqual([])
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText('Tokens that jobs have got by it end.').waitFor()
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByRole('button', { name: 'Delete github' }).click()
    expect(JSON.parse(await rest('GET', '/issuers/default%2Fgithub'))).toMatchObject({
      audience: 'https://stagely.example.com',
      rules: [{ claims }],
    })
    await page.getByRole('dialog').getByRole('button', { name: 'Delete github' }).click()
    await page.getByText('No trusted issuers yet').waitFor()
  })

  it('adds a user and a member, changes the role, and tells a viewer which roles may', async () => {
    const { open, rest, axe } = given()
    const page = await open('/ui/people')
    await page.getByRole('button', { name: 'New user' }).click()
    await page.getByLabel('Login name').fill('vera')
    await page.getByRole('button', { name: 'Add the user' }).click()
    await page.getByRole('rowheader', { name: 'vera' }).waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByRole('link', { name: 'default', exact: true }).click()
    await page.getByRole('button', { name: 'Add a member' }).click()
    await page.getByLabel('Name or e-mail address').fill('vera')
    await page.getByRole('button', { name: 'Add to the team' }).click()
    await page.getByLabel('Role of vera').selectOption('viewer')
    await page.getByText('vera is viewer of default.').waitFor()
    await page.getByRole('button', { name: 'Edit vera' }).click()
    await page.getByLabel('Only in projects').fill('shop')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('cell', { name: 'project shop' }).waitFor()
    expect(await axe(page)).toEqual([])

    const made = await rest('POST', '/users/vera/tokens', { name: 'hers' })
    const { token: theirs } = JSON.parse(made) as { token: string }
    const hers = await open('/ui/t/default/p/shop', { token: theirs, after: page })
    await hers.getByRole('heading', { name: 'shop' }).first().waitFor()
    expect(await hers.getByRole('navigation', { name: 'Pages' }).innerText()).not.toMatch(
      /Agents|Stores|Notifiers/,
    )
    await goTo(hers, '/ui/')
    await hers.getByRole('heading', { name: 'Recent activity' }).waitFor()
    await rest('PUT', '/teams/default/members/vera', { role: 'viewer', projects: null })
    await goTo(hers, '/ui/t/default/members')
    await hers.getByLabel('Role of vera').waitFor()
    expect(await hers.getByLabel('Role of vera').isDisabled()).toBe(true)
    for (const name of ['Add a member', 'Edit vera', 'Remove vera'])
      expect(await hers.getByRole('button', { name }).getAttribute('title')).toContain(
        'Needs the role owner in the team default.',
      )
    expect(await hers.getByRole('navigation', { name: 'Pages' }).innerText()).not.toMatch(
      /Audit|Keys/,
    )
    await rest('DELETE', '/teams/default/members/vera')
    await hers.getByRole('heading', { name: 'You are in no team' }).waitFor()
  })

  it('rotates data keys, and shows how far it is, without a reload', async () => {
    const { open, axe, stack } = given()
    const before = await stack.containers()
    const page = await open('/ui/keys')
    await page.getByText('Master key').first().waitFor()
    await page.getByRole('button', { name: 'Rotate data keys…' }).click()
    await page.getByText('No container restarts').waitFor()
    await page.getByRole('button', { name: 'Rotate the data keys' }).click()
    // It asks every two seconds while one runs.
    await page.getByText('Succeeded').first().waitFor({ timeout: 9_000 })
    expect(await axe(page)).toEqual([])
    expect(await stack.containers()).toEqual(before)
  })
}
