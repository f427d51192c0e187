// Staging, review, apply and watch: what is announced is what happens, and nothing is written before.
import { expect, it } from 'vitest'
import type { Locator, Page } from 'playwright-core'
import { canary, values, type Dashboard } from './dashboard.ts'

const { dsn } = values

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

/** By the keyboard alone. */
const tabTo = async (page: Page, target: Locator): Promise<void> => {
  for (let presses = 0; presses < 40; presses++) {
    if ((await target.and(page.locator(':focus')).count()) > 0) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the focus does not get to ${target.toString()}`)
}

/** In the open dialog: types a value, and stages it. */
const typeAndStage = async (page: Page, value: string): Promise<void> => {
  await page.locator('#new-value:focus').waitFor()
  await page.keyboard.type(value)
  await page.keyboard.press('Control+Enter')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

const newestRevision = async ({ rest }: Dashboard): Promise<number> =>
  (JSON.parse(await rest('GET', '/projects/default%2Fshop')) as { revision: number }).revision

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

  it('selects several secrets by a key, and stages the same for all of them', async () => {
    const page = await given().open('/ui/t/default/p/shop')
    await page.getByRole('row', { name: /^DATABASE_URL/ }).click({ modifiers: ['Control'] })
    for (const key of ['j', 'x']) await page.keyboard.press(key)
    await page.getByText('2 selected').waitFor()
    expect(await page.getByRole('row', { selected: true }).count()).toBe(2)
    await page.keyboard.press('Delete')
    await page.getByText('2 staged').waitFor()
    await page.keyboard.press('z')
    await page.getByText('2 staged').waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
    await page.getByText('2 selected').waitFor({ state: 'detached' })
    expect(await page.getByRole('row', { selected: true }).count()).toBe(0)
  })

  it('keeps a value beside a fault, and keeps line breaks as they were pasted', async () => {
    const page = await given().open('/ui/t/default/p/shop')
    await page.getByRole('button', { name: 'New secret' }).click()
    await page.getByLabel('Key').fill('1BAD')
    await page.getByLabel('Value', { exact: true }).fill('kept')
    // Nothing of the browser or of an add-on keeps, checks or offers what is typed.
    const field = page.getByLabel('Value', { exact: true })
    for (const [name, value] of Object.entries({
      autocomplete: 'off',
      spellcheck: 'false',
      autocapitalize: 'off',
      autocorrect: 'off',
      translate: 'no',
      'data-lpignore': 'true',
      'data-form-type': 'other',
      'data-1p-ignore': 'true',
      'data-bwignore': 'true',
    }))
      expect([name, await field.getAttribute(name)]).toEqual([name, value])
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
    await page.getByLabel('Type').selectOption('file')
    for (const [size, told] of [
      [(1 << 20) + 1, 'is larger than 1 MiB'],
      [1 << 20, `a.bin, ${1 << 20} bytes`],
    ] as const) {
      const file = { name: 'a.bin', mimeType: 'application/octet-stream' }
      const buffer = Buffer.alloc(size, 255)
      await page.getByLabel('Choose a file').setInputFiles({ ...file, buffer })
      await page.getByText(told).waitFor()
    }
  })

  it('stages in memory, announces exactly which services are re-created, and re-creates these', async () => {
    const { open, stack, axe } = given()
    const page = await open('/ui/t/default/p/shop')
    const writes = writesOf(page)
    const { keyboard } = page
    const row = page.getByRole('row', { name: /^DATABASE_URL/ })
    await tabTo(page, row.locator('[tabindex="0"]'))
    for (const [key, value] of [
      ['e', `taken back: ${canary}`],
      ['j', 'information'],
      ['j', `a new one: ${canary}`],
    ] as const) {
      await keyboard.press(key)
      if (key === 'j') await keyboard.press('e')
      await typeAndStage(page, value)
    }
    for (const [key, scope] of [
      ['ADDED', 'web'],
      ['UNSEEN', 'nobody'],
    ] as const) {
      // Typed on at once: no key goes to the page behind the dialog, which would take the focus elsewhere.
      await Promise.all([keyboard.press('n'), keyboard.type(key)])
      expect(await page.getByLabel('Key').inputValue()).toBe(key)
      await tabTo(page, page.getByLabel('Scope'))
      await keyboard.press('Control+A')
      await keyboard.type(scope)
      for (let i = 0; i < 20; i++) {
        if ((await page.locator('#new-value:focus').count()) > 0) break
        await keyboard.press('Shift+Tab')
      }
      await typeAndStage(page, `value of ${key}: ${canary}`)
    }
    await page.getByText('5 staged').waitFor()
    await page.locator('[role=grid] [data-active]:focus').waitFor()
    await keyboard.press('k')
    await keyboard.press('k')
    await keyboard.press('z')
    await page.getByText('4 staged').waitFor()
    expect(writes).toEqual([])
    expect(await page.evaluate(everything)).not.toContain(canary)

    await keyboard.press('Control+Enter')
    await page.getByText('unchanged, skipped').waitFor()
    const impact = page.getByRole('table')
    expect(await impact.getByRole('row').allInnerTexts()).toEqual([
      expect.stringContaining('Stagelet'),
      expect.stringMatching(/shop\s+web\s+re-created\s+gains ADDED, other value of SENTRY_DSN/),
    ])
    await page.getByText('1 service is not touched').waitFor()
    expect(await axe(page)).toEqual([])

    const before = await stack.containers()
    const revision = await newestRevision(given())
    await tabTo(page, page.getByLabel('Reason'))
    await keyboard.type('<img src=x onerror=alert(1)> after INC-42')
    await page.getByRole('button', { name: 'Apply: re-create 1 service' }).waitFor()
    await Promise.all([keyboard.press('Control+Enter'), keyboard.press('Control+Enter')])
    await page.getByRole('heading', { name: `Revision ${revision + 1}`, exact: true }).waitFor()
    await page.getByText(/^In sync after \d/).waitFor()
    await page.getByText('1 of 1 others untouched').waitFor()
    await page.getByText('<img src=x onerror=alert(1)> after INC-42').waitFor()
    expect(await axe(page)).toEqual([])
    const after = await stack.containers()
    expect(after['web']?.id).not.toBe(before['web']?.id)
    expect(after['backend']).toEqual(before['backend'])
    expect(await stack.environmentOf('web')).toMatchObject({ SENTRY_DSN: `a new one: ${canary}` })
    expect(writes.filter((one) => one.endsWith('/secrets/batch')).length).toBe(2) // the dry run, and one that stores
    expect(await newestRevision(given())).toBe(revision + 1)
    expect(await page.evaluate(everything)).not.toContain(canary)

    // Undo, by two keys: what still runs the old value is not touched.
    await page.keyboard.press('u')
    await page.getByRole('button', { name: 'Undo: re-create 1 service' }).waitFor()
    expect(await axe(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.getByText(/undo of revision/).waitFor()
    await page.getByText(/^In sync after \d/).waitFor()
    const undone = await stack.environmentOf('web')
    expect([undone['SENTRY_DSN'], undone['ADDED']]).toEqual([dsn, undefined])
    expect((await stack.containers())['backend']).toEqual(before['backend'])
  })

  it('stages a pasted .env file, and the container gets it byte for byte', async () => {
    const { open, stack } = given()
    const page = await open('/ui/t/default/p/shop')
    await page.getByRole('button', { name: 'Import' }).click()
    await page.getByLabel('Paste the file').fill('A_KEY=1\nbroken')
    await page.getByText('line 2: is not KEY=VALUE').waitFor()
    await page
      .getByLabel('Paste the file')
      .fill(`A_KEY='$x  "y" '\nLINES="one\\ntwo"\nSENTRY_DSN=${dsn}\n`)
    await page.getByLabel('Scope', { exact: true }).fill('web')
    await page.getByRole('row', { name: /SENTRY_DSN 3 .*new value/ }).waitFor()
    await page.getByRole('button', { name: 'Stage 3 secrets' }).click()
    await page.keyboard.press('Control+Enter')
    await page.getByText('unchanged, skipped').waitFor()
    await page.getByRole('button', { name: 'Apply: re-create 1 service' }).click()
    await page.getByText(/^In sync after \d/).waitFor()
    expect(await stack.environmentOf('web')).toMatchObject({
      A_KEY: '$x  "y" ',
      LINES: 'one\ntwo',
      SENTRY_DSN: dsn,
    })
  })

  it('shows what each service gets, and each stagelet; a cell leads to why', async () => {
    const { open, axe } = given()
    const page = await open('/ui/t/default/p/shop?lens=across')
    await page
      .getByRole('gridcell', { name: /^DATABASE_URL in shop: 1 service run the newest value/ })
      .waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByRole('link', { name: 'Stagelet', exact: true }).click()
    const cell = page.getByRole('gridcell', {
      name: /^LOG_LEVEL in web of shop: project·global, version \d+, runs it/,
    })
    await cell.waitFor()
    await page.getByRole('gridcell', { name: 'DATABASE_URL in web of shop: not used' }).waitFor()
    expect(await axe(page)).toEqual([])
    await page.keyboard.press('/')
    await page.keyboard.type('LOG_')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await page.getByRole('rowheader', { name: 'LOG_LEVEL' }).focus()
    await page.keyboard.press('l')
    await page.keyboard.press('End')
    await page.keyboard.press('Home')
    await page.keyboard.press('l')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /^Why does \w+ have LOG_LEVEL/ }).waitFor()
    await page.goBack()
    await page.setViewportSize({ width: 320, height: 640 })
    await page.emulateMedia({ colorScheme: 'dark' })
    await page
      .getByRole('gridcell', { name: /^LOG_LEVEL in/ })
      .first()
      .waitFor()
    expect(await axe(page)).toEqual([])
  })

  it('stages one value in several places, and changes the place of what is only staged', async () => {
    const { open, axe } = given()
    const page = await open('/ui/t/default/p/shop')
    const writes = writesOf(page)
    await page.getByRole('button', { name: 'New secret' }).click()
    await page.getByLabel('Key').fill('PLACED')
    await page.getByLabel('Value', { exact: true }).fill('in two places')
    await page.getByText('Same value in other places').click()
    await page.getByRole('group', { name: 'Scopes' }).getByLabel('web').check()
    await page.getByText('2 secrets: 0 get a new value, 2 are new').waitFor()
    expect(await axe(page)).toEqual([])
    await page.getByRole('button', { name: 'Stage the secret' }).click()
    await page.getByText('2 staged').waitFor()
    await page.getByRole('row', { name: /^PLACED global/ }).click()
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Scope', { exact: true }).fill('backend')
    await page.getByRole('button', { name: 'Stage the secret' }).click()
    await page.getByRole('row', { name: /^PLACED backend/ }).waitFor()
    await page.getByText('2 staged').waitFor()
    expect(writes).toEqual([])
  })

  it('copies a value that is never in the page, and shows one for 30 s, until Esc or another tab; the audit has all', async () => {
    const { open, world, token, axe } = given()
    const page = await open('/ui/t/default/p/shop?secret=shop-sentry-dsn.web', { own: true })
    const { keyboard, clock } = page
    await page.context().grantPermissions(['clipboard-write', 'clipboard-read'])
    await clock.install()
    const pasted = async (): Promise<string> => {
      await page.getByRole('button', { name: 'New secret' }).click()
      await page.getByLabel('Key').press('Control+V')
      const text = await page.getByLabel('Key').inputValue()
      await keyboard.press('Escape')
      return text
    }
    await page.getByRole('button', { name: 'Show the value' }).waitFor()
    await keyboard.press('c')
    await page.getByText(/^Copied/).waitFor()
    expect(await page.evaluate(everything)).not.toContain(canary)
    expect(await pasted()).toBe(dsn)
    await clock.runFor(46_000)
    await page.getByText('Reading is recorded in the audit log').waitFor()
    await expect.poll(pasted).toBe('')

    const value = page.getByText(dsn)
    const goesBy = async (how: () => Promise<unknown>): Promise<void> => {
      await page.getByRole('button', { name: 'Show the value' }).click()
      await value.waitFor()
      await how()
      await value.waitFor({ state: 'detached' })
      expect(await page.evaluate(everything)).not.toContain(canary)
    }
    await goesBy(async () => {
      expect(await axe(page)).toEqual([])
      await keyboard.press('Escape')
    })
    await goesBy(() => clock.runFor(31_000))
    await goesBy(() => keyboard.press('L'))
    await page.getByText('Values locked').waitFor()
    await page.getByRole('button', { name: 'Show the value' }).click()
    await page.getByLabel('Your token', { exact: true }).fill(token)
    await keyboard.press('Enter')
    await value.waitFor()
    await page.getByText('Values locked').waitFor({ state: 'detached' })
    await keyboard.press('Escape')
    await goesBy(() =>
      page.evaluate(`{
        Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
        delete document.hidden
      }`),
    )
    const audit = [
      'admin',
      'audit',
      'list',
      '--kind',
      'StagelySecret',
      '--action',
      'reveal',
      '-o',
      'json',
    ]
    const rows = await world.must(...audit)
    expect(rows.match(/"action": ?"reveal"/g)).toHaveLength(6)
    await page.getByText(/^Read last by admin/).waitFor()
    await page.getByRole('button', { name: 'Where is it?' }).click()
    await page.getByText(/^Found (nowhere|in \d+ places)/).waitFor()
    expect(await page.evaluate(everything)).not.toContain(canary)
  })

  it('tells of somebody else who was faster, shows what is now and what will be, and keeps the edits', async () => {
    const { open, world } = given()
    const page = await open('/ui/t/default/p/shop')
    await replace(page, 'SENTRY_DSN', `mine: ${canary}`)
    await page.keyboard.press('Control+Enter')
    await page.getByRole('button', { name: 'Apply: re-create 1 service' }).waitFor()
    const told = await page.getByText(/^new value, \d+ bytes, replaces v\d+$/).innerText()
    const version = Number(/v(\d+)$/.exec(told)?.[1])
    await world.patchSecret('shop-sentry-dsn.web', `of another: ${canary}`)
    await page.getByText(`admin stored version ${version + 1} after you began`).waitFor()
    await page.getByText(new RegExp(`replaces v${version + 1}$`)).waitFor()
    await page.getByText('1 staged').waitFor()
    await page.getByRole('button', { name: 'Unstage' }).click()
    await page.getByText('Nothing is staged').waitFor()
  })

  it('reviews a deletion and another place beside a new value', async () => {
    const { open } = given()
    const page = await open('/ui/t/default/p/shop')
    await page.getByRole('row', { name: /^SENTRY_DSN/ }).click()
    await page.keyboard.press('Delete')
    await page.keyboard.press('Escape')
    await page.getByRole('row', { name: /^LOG_LEVEL/ }).click()
    await page.keyboard.press('e')
    await page.getByLabel('Scope').fill('backend')
    await page.getByRole('button', { name: 'Stage the change' }).click()
    await page.keyboard.press('Control+Enter')
    await page.getByText('moved: global → backend').waitFor()
    await page.getByText(/^deleted with v\d+$/).waitFor()
    expect(await page.getByRole('table').getByRole('row').allInnerTexts()).toEqual([
      expect.stringContaining('Stagelet'),
      expect.stringMatching(/shop\s+web\s+re-created\s+loses LOG_LEVEL, SENTRY_DSN/),
    ])
  })

  it('loses no staged edit when the network or the login goes, or the controller begins anew', async () => {
    const { open, world, rest, token, setOnline } = given()
    const page = await open('/ui/t/default/p/shop')
    await replace(page, 'SENTRY_DSN', `kept: ${canary}`)
    await page.keyboard.press('Escape')
    const isStale = () =>
      page.evaluate<boolean>("document.documentElement.hasAttribute('data-stale')")
    const row = page.getByRole('row', { name: /^LOG_LEVEL/ })
    const versionOf = async () => Number(await row.getByRole('gridcell').nth(3).innerText())
    const version = await versionOf()
    setOnline(false)
    await page.getByText(/^as of \d\d:\d\d:\d\d$/).waitFor()
    expect(await isStale()).toBe(true)
    await world.patchSecret('shop-log-level.global', 'informational')
    setOnline(true)
    await page.getByText(/^live/).waitFor()
    expect(await isStale()).toBe(false)
    await expect.poll(versionOf).toBe(version + 1)
    await page.getByText('1 staged').waitFor()

    await page.keyboard.press('Control+Enter')
    const apply = page.getByRole('button', { name: 'Apply: re-create 1 service' })
    await apply.waitFor()
    const watched = await open('/ui/t/default/p/shop/revisions/1', { beside: page })
    await page.bringToFront()
    await world.controller.kill('SIGTERM')
    await page.getByText(/^as of \d\d:\d\d:\d\d$/).waitFor()
    await world.startController()
    await page.getByText(/^live/).waitFor()
    await apply.waitFor()
    // Whoever watches a revision goes on watching.
    await watched.getByText(/^live/).waitFor()
    await watched.getByRole('heading', { name: 'Revision 1', exact: true }).waitFor()
    await watched.close()

    const listed = await rest('GET', '/me/sessions')
    const { sessions } = JSON.parse(listed) as { sessions: { id: string }[] }
    for (const { id } of sessions) await rest('DELETE', `/me/sessions/${id}`)
    const dialog = page.getByRole('dialog', { name: 'Your login has ended' })
    await dialog.getByLabel('Token').fill(token)
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await page.getByText(/^live/).waitFor()
    await page.getByText('1 staged').waitFor()
    await page.keyboard.press('Control+Enter')
    await page.getByText(/^In sync after \d/).waitFor()
    expect((await given().stack.environmentOf('web'))['SENTRY_DSN']).toBe(`kept: ${canary}`)
  })

  it('compares two versions after it said that this is audited, and shows what going back to one re-creates', async () => {
    const { open, rest } = given()
    const page = await open('/ui/t/default/p/shop?secret=shop-sentry-dsn.web')
    const panel = page.getByRole('complementary')
    await panel
      .getByText(/same value as v\d/)
      .first()
      .waitFor()
    await panel
      .getByRole('button', { name: /^Compare v/ })
      .first()
      .click()
    await page.getByText('two entries in the audit log').waitFor()
    await page.getByRole('button', { name: 'Show both values' }).click()
    const values = page.getByLabel(/^Value of v\d+$/)
    await values.nth(1).waitFor()
    expect(await values.nth(0).innerText()).not.toBe(await values.nth(1).innerText())
    expect(await values.locator('mark').count()).toBe(2)
    await page.keyboard.press('Escape')
    await values.first().waitFor({ state: 'detached' })
    await panel
      .getByRole('button', { name: /^Go back to v/ })
      .first()
      .click()
    await page.getByRole('button', { name: 'Go back: re-create 1 service' }).waitFor()
    await page.keyboard.press('Escape')

    // Two places of a key, in the same way.
    const secrets = '/projects/default%2Fshop/secrets'
    const made = { key: 'SENTRY_DSN', scope: 'nobody', value: `of nobody: ${canary}` }
    const { id } = JSON.parse(await rest('POST', secrets, made)) as { id: string }
    await panel.getByRole('button', { name: 'Compare with nobody' }).click()
    await page.getByRole('button', { name: 'Show both values' }).click()
    expect(await page.getByLabel('Value of nobody').innerText()).toContain('of·nobody')
    await page.keyboard.press('Escape')
    await values.first().waitFor({ state: 'detached' })
    await rest('DELETE', `${secrets}/${id}`)
  })

  it('takes one edit back, asks before it discards all, and forgets what is staged when the page goes', async () => {
    const page = await given().open('/ui/t/default/p/shop')
    await replace(page, 'SENTRY_DSN', 'one')
    await page.keyboard.press('Escape')
    await replace(page, 'DATABASE_URL', 'two')
    await page.getByRole('button', { name: 'Unstage' }).click()
    await page.getByText('1 staged').waitFor()
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByRole('button', { name: 'Discard 1 edit' }).click()
    await page.getByText('1 staged').waitFor({ state: 'detached' })

    // When the page goes, also where the browser keeps it for going back.
    await replace(page, 'SENTRY_DSN', canary)
    await page.getByText('1 staged').waitFor()
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    await page.getByText('1 staged').waitFor({ state: 'detached' })
  })
}
