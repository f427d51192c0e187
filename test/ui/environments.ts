// A project with environments, and plain values: who has which key where, and what is shown of values.
import { expect, it } from 'vitest'
import { canary, type Dashboard } from './dashboard.ts'
import { goTo } from './within.ts'

const project = '/projects/default%2Fkiosk'
const url = '/ui/t/default/p/kiosk'

/** Once: tests of this file share the project. */
const makeProject = async ({ rest }: Dashboard): Promise<void> => {
  await rest('POST', '/projects', {
    name: 'kiosk',
    team: 'default',
    environments: [
      { name: 'production' },
      { name: 'staging' },
      { name: 'preview', inherits: 'Nothing' },
    ],
  })
  const operations = [
    { key: 'STRIPE', scope: 'web', environments: ['production'], value: `${canary}-live` },
    { key: 'STRIPE', scope: 'web', environments: ['preview'], value: `${canary}-test` },
    { key: 'SESSION', scope: 'web', value: `${canary}-session` },
    { key: 'REGION', scope: 'web', value: 'eu-central', visibility: 'Plain' },
  ]
  await rest('POST', `${project}/secrets/batch`, {
    operations: operations.map((operation) => ({ op: 'create', ...operation })),
  })
}

export const environmentTests = (given: () => Dashboard): void => {
  it('shows which environment has which key, and how they differ, also in a narrow window', async () => {
    await makeProject(given())
    const { open, axe } = given()
    const page = await open(`${url}?lens=across`)
    await page.getByRole('columnheader', { name: 'staging' }).waitFor()
    const cell = (name: string | RegExp) => page.getByRole('gridcell', { name })
    await cell(/^STRIPE of web in production: its own, no service sees it, value [AB]$/).waitFor()
    await cell(/^STRIPE of web in staging: missing here, other environments have it$/).waitFor()
    await cell('STRIPE of web: different, missing in staging').waitFor()
    await cell('SESSION of web: equal, missing in preview').waitFor()
    await cell(/^SESSION of web in staging: inherited from the project/).waitFor()
    expect(await axe(page)).toEqual([])
    await page.setViewportSize({ width: 320, height: 640 })
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await axe(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
  })

  it('begins a missing secret in its place by a key, and filters by environment', async () => {
    const page = await given().open(`${url}?lens=across&q=environment:p*`)
    const missing = page.getByRole('gridcell', { name: /^STRIPE of web in staging: missing/ })
    await missing.click({ trial: true })
    expect(await page.getByRole('row', { name: /SESSION/ }).count()).toBe(0)
    await missing.focus()
    await page.keyboard.press('e')
    const dialog = page.getByRole('dialog', { name: 'New secret' })
    await dialog.waitFor()
    expect(await dialog.getByLabel('Key').inputValue()).toBe('STRIPE')
    expect(await dialog.getByLabel('Scope').inputValue()).toBe('web')
    expect(await dialog.getByLabel('Stagelet').inputValue()).toBe('in:staging')
  })

  it('shows a plain value where its name is, and asks before one that looks like a secret', async () => {
    const { open, axe, rest } = given()
    const page = await open(url)
    const region = page.getByRole('row', { name: /^REGION plain web all eu-central/ })
    await region.waitFor()
    await page.getByRole('row', { name: /^SESSION web all masked/ }).waitFor()
    await page.getByRole('button', { name: 'New secret' }).click()
    await page.getByLabel('Key').fill('MODE')
    await page.getByLabel('Value', { exact: true }).fill('ghp_0123456789012345678901234567890123')
    await page.getByLabel('Visibility').selectOption('Plain')
    await page.getByLabel('Scope', { exact: true }).fill('web')
    await page.getByRole('button', { name: 'Stage the secret' }).click()
    await page.getByText(/^The value of MODE looks like a secret/).waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByLabel('Value', { exact: true }).fill('careful')
    await page.getByLabel('Visibility').selectOption('Plain')
    await page.getByRole('button', { name: /^Stage/ }).click()
    await region.click()
    await page.getByLabel('The value').getByText('eu-central').waitFor()
    await page.getByRole('button', { name: 'Replace value' }).click()
    await page.getByLabel('New value').fill('eu-west')
    await page.getByRole('button', { name: 'Stage the change' }).click()
    await page.keyboard.press('Control+Enter')
    await page.getByText('careful').waitFor()
    await page.getByText('eu-central').waitFor()
    await page.getByText('eu-west').waitFor()
    await page.getByText(/new secret, 7 bytes, plain from now on/).waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByRole('button', { name: /^Apply/ }).click()
    await page
      .getByText(/no service|No service|nothing/i)
      .first()
      .waitFor()
    const { revision } = JSON.parse(await rest('GET', project)) as { revision: number }
    await goTo(page, `${url}/revisions/${revision}`)
    await page.getByText('eu-west').waitFor()
    await page.getByText('eu-central').waitFor()
    expect(await axe(page)).toEqual([])
    await goTo(page, `${url}?secret=region.web`)
    const versions = page.locator('section', {
      has: page.getByRole('heading', { name: 'Versions' }),
    })
    await versions.getByText('eu-central').waitFor()
  })

  it('masks a plain value by an edit of the visibility alone; nothing shows the value then', async () => {
    const { open, rest } = given()
    const page = await open(`${url}?secret=region.web`)
    await page.getByLabel('The value', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Replace value' }).click()
    await page.getByLabel('Visibility').selectOption('Masked')
    await page.getByRole('button', { name: 'Stage the change' }).click()
    await page.getByText('now masked').first().waitFor()
    await page.keyboard.press('Control+Enter')
    await page.getByText(/masked from now on/).waitFor()
    await page.getByRole('button', { name: 'Apply: no container changes' }).click()
    await page.waitForURL(/revisions\/\d+/)
    await goTo(page, `${url}?secret=region.web`)
    await page.getByRole('button', { name: 'Show the value' }).waitFor()
    await page.getByText('v3').first().waitFor()
    expect(await page.evaluate('document.documentElement.outerHTML')).not.toMatch(
      /eu-(west|central)/,
    )
    const { revision } = JSON.parse(await rest('GET', project)) as { revision: number }
    await goTo(page, `${url}/revisions/${revision - 1}`)
    await page.getByText(/^other value, v1 → v2$/).waitFor()
    expect(await page.evaluate('document.documentElement.outerHTML')).not.toMatch(
      /eu-(west|central)/,
    )
  })

  it('re-creates no container when the visibility of a value changes', async () => {
    const { rest, stack } = given()
    const shop = '/projects/default%2Fshop'
    const secret = `${shop}/secrets/shop-log-level.global`
    const idsOf = async (): Promise<unknown> =>
      Object.values(await stack.containers()).map(({ id }) => id)
    const before = await idsOf()
    for (const visibility of ['Plain', 'Masked']) {
      await rest('PATCH', secret, { visibility })
      const { value } = JSON.parse(await rest('GET', secret)) as { value?: string }
      expect(value === undefined).toBe(visibility === 'Masked')
      const { revision } = JSON.parse(await rest('GET', shop)) as { revision: number }
      await expect
        .poll(async () => JSON.parse(await rest('GET', '/stagelets/default%2Fshop')) as object)
        .toMatchObject({ running_revision: revision })
    }
    expect(await idsOf()).toEqual(before)
  })
}
