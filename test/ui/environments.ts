// A project with environments, and plain values: who has which key where, and what is shown of values.
import { expect, it } from 'vitest'
import { canary, type Dashboard } from './dashboard.ts'

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
}
