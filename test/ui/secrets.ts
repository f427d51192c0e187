// Staging, review, apply and watch: what is announced is what happens, and nothing is written before.
import { expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import type { Dashboard } from './dashboard.ts'

const dsn = 'https://key@sentry.example.com/1'
const canary = 'canary-of-the-dashboard-0815'

/** Requests that write anything. */
const writesOf = (page: Page): string[] => {
  const writes: string[] = []
  page.on('request', (request) => {
    if (request.method() !== 'GET')
      writes.push(`${request.method()} ${new URL(request.url()).pathname}`)
  })
  return writes
}

const everything = `JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, history.state, location.href, document.documentElement.outerHTML])`

const replace = async (page: Page, key: string, value: string): Promise<void> => {
  await page.getByRole('row', { name: new RegExp(`^${key} `) }).click()
  await page.getByRole('button', { name: 'Replace value' }).click()
  await page.getByLabel('New value').fill(value)
  await page.getByRole('button', { name: 'Stage the change' }).click()
}

export const secretsTests = (given: () => Dashboard): void => {
  it('shows which services run a secret, and filters', async () => {
    const { open, axe } = given()
    const page = await open('/ui/t/default/p/shop')
    const row = page.getByRole('row', { name: /^LOG_LEVEL/ })
    await row.getByText('2 of 2').waitFor()
    await page
      .getByRole('row', { name: /^DATABASE_URL/ })
      .getByText('1 of 1')
      .waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('key:*_URL -is:global')
    await page.getByText('1 of 3').waitFor()
    expect(await row.count()).toBe(0)
    expect(page.url()).toContain('q=key')
    expect(await axe(page)).toEqual([])
    expect(
      await axe(
        await open('/ui/t/default/p/shop?secret=shop-log-level.global', {
          width: 320,
          height: 640,
          scheme: 'dark',
        }),
      ),
    ).toEqual([])
  })

  it('is one tab stop in which keys move, open and edit', async () => {
    const page = await given().open('/ui/t/default/p/shop')
    await page.getByRole('row', { name: /^DATABASE_URL/ }).click()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'LOG_LEVEL' }).waitFor()
    await page.keyboard.press('e')
    await page.getByRole('dialog', { name: 'LOG_LEVEL' }).waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('new-value')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'LOG_LEVEL' }).waitFor({ state: 'detached' })
    expect(
      await page.evaluate('document.querySelectorAll(\'[role=grid] [tabindex="0"]\').length'),
    ).toBe(1)
  })

  it('keeps a value beside a fault, and keeps line breaks as they were pasted', async () => {
    const page = await given().open('/ui/t/default/p/shop')
    await page.getByRole('button', { name: 'New secret' }).click()
    await page.getByLabel('Key').fill('1BAD')
    await page.getByLabel('Value', { exact: true }).fill('kept')
    await page.getByRole('button', { name: 'Stage the secret' }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByLabel('Value', { exact: true }).inputValue()).toBe('kept')
    await page.evaluate(`{
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', 'a\\r\\nb')
      document.activeElement.closest('form').querySelector('textarea')
        .dispatchEvent(new ClipboardEvent('paste', { clipboardData, cancelable: true, bubbles: true }))
    }`)
    await page.getByText('pasted text, 4 bytes').waitFor()
    await page.getByText('has carriage returns').waitFor()
  })

  it('stages in memory, announces exactly which services are re-created, and re-creates these', async () => {
    const { open, stack, axe } = given()
    const page = await open('/ui/t/default/p/shop')
    const writes = writesOf(page)
    await replace(page, 'SENTRY_DSN', canary)
    await page.keyboard.press('Escape')
    await replace(page, 'LOG_LEVEL', 'information')
    await page.getByText('2 staged').waitFor()
    expect(writes).toEqual([])
    expect(await page.evaluate(everything)).not.toContain(canary)

    await page.keyboard.press('Control+Enter')
    await page.getByText('equal, left out').waitFor()
    const impact = page.getByRole('table')
    expect(await impact.getByRole('row').allInnerTexts()).toEqual([
      expect.stringContaining('Stagelet'),
      expect.stringMatching(/shop\s+web\s+re-created\s+SENTRY_DSN/),
    ])
    await page.getByText('1 service is not touched').waitFor()
    expect(await axe(page)).toEqual([])

    const before = await stack.containers()
    await page.getByLabel('Why').fill('rotate after INC-42')
    await page.getByRole('button', { name: 'Apply: re-create 1 service' }).dblclick()
    await page.getByRole('heading', { name: /^Revision \d/ }).waitFor()
    await page.getByText(/^In sync after \d/).waitFor()
    await page.getByText('1 of 1 others untouched').waitFor()
    await page.getByText('rotate after INC-42').waitFor()
    expect(await axe(page)).toEqual([])
    const after = await stack.containers()
    expect(after['web']?.id).not.toBe(before['web']?.id)
    expect(after['backend']).toEqual(before['backend'])
    expect(await stack.environmentOf('web')).toMatchObject({ SENTRY_DSN: canary })
    expect(writes.filter((one) => one.endsWith('/secrets/batch')).length).toBe(2) // the dry run, and one that stores
    expect(await page.evaluate(everything)).not.toContain(canary)

    // Undo, by two keys: what still runs the old value is not touched.
    await page.keyboard.press('u')
    await page.getByRole('button', { name: 'Undo: re-create 1 service' }).waitFor()
    expect(await axe(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.getByText(/undo of revision/).waitFor()
    await page.getByText(/^In sync after \d/).waitFor()
    expect((await stack.environmentOf('web'))['SENTRY_DSN']).toBe(dsn)
    expect((await stack.containers())['backend']).toEqual(before['backend'])
  })

  it('stages a pasted .env file, and the container gets it byte for byte', async () => {
    const { open, stack } = given()
    const page = await open('/ui/t/default/p/shop')
    await page.getByRole('button', { name: 'Import .env' }).click()
    await page.getByLabel('Paste the file').fill('A_KEY=1\nbroken')
    await page.getByText('line 2: is not KEY=VALUE').waitFor()
    await page
      .getByLabel('Paste the file')
      .fill(`A_KEY='$x  "y" '\nLINES="one\\ntwo"\nSENTRY_DSN=${dsn}\n`)
    await page.getByLabel('Scope').fill('web')
    await page.getByRole('row', { name: /^SENTRY_DSN 3 .* another value/ }).waitFor()
    await page.getByRole('button', { name: 'Stage 3 secrets' }).click()
    await page.keyboard.press('Control+Enter')
    await page.getByText('equal, left out').waitFor()
    await page.getByRole('button', { name: 'Apply: re-create 1 service' }).click()
    await page.getByText(/^In sync after \d/).waitFor()
    expect(await stack.environmentOf('web')).toMatchObject({
      A_KEY: '$x  "y" ',
      LINES: 'one\ntwo',
      SENTRY_DSN: dsn,
    })
  })

  it('copies a value that is never in the page, and shows one until Esc; the audit has both', async () => {
    const { open, world, axe } = given()
    const page = await open('/ui/t/default/p/shop?secret=shop-sentry-dsn.web')
    await page.context().grantPermissions(['clipboard-write', 'clipboard-read'])
    await page.getByRole('button', { name: 'Copy the value' }).click()
    await page.getByText(/^Copied/).waitFor()
    expect(await page.evaluate(everything)).not.toContain(dsn)
    await page.getByRole('button', { name: 'New secret' }).click()
    await page.getByLabel('Key').press('Control+V')
    expect(await page.getByLabel('Key').inputValue()).toBe(dsn)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Show the value' }).click()
    await page.getByText(dsn).waitFor()
    expect(await axe(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByText(dsn).waitFor({ state: 'detached' })
    expect(await page.evaluate(everything)).not.toContain(dsn)
    const rows = await world.must(
      'audit',
      'list',
      '--kind',
      'StagelySecret',
      '--action',
      'reveal',
      '-o',
      'json',
    )
    expect(rows.match(/"action": ?"reveal"/g)).toHaveLength(2)
  })

  it('tells of somebody else who was faster, and keeps the edits', async () => {
    const { open, world } = given()
    const page = await open('/ui/t/default/p/shop')
    await replace(page, 'SENTRY_DSN', 'another-value-of-mine')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('button', { name: 'Apply: re-create 1 service' }).waitFor()
    await world.patchSecret('shop-sentry-dsn.web', 'the-value-of-another')
    await page.getByText(/stored version \d+ after you began/).waitFor()
    await page.getByText('1 staged').waitFor()
    await page.getByRole('button', { name: 'Take back' }).click()
    await page.getByText('Nothing is staged').waitFor()
  })

  it('takes one edit back, and asks before it discards all', async () => {
    const page = await given().open('/ui/t/default/p/shop')
    await replace(page, 'SENTRY_DSN', 'one')
    await page.keyboard.press('Escape')
    await replace(page, 'DATABASE_URL', 'two')
    await page.getByRole('button', { name: 'Take back' }).click()
    await page.getByText('1 staged').waitFor()
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByRole('button', { name: 'Discard 1 edit' }).click()
    await page.getByText('1 staged').waitFor({ state: 'detached' })
  })
}
