// The palette: by the keyboard alone to a page, to an object and to an action; and what a role does not allow.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'

export const paletteTests = (given: () => Dashboard): void => {
  it('finds pages, objects and actions by name, and does them, by the keyboard alone', async () => {
    const { open, axe } = given()
    const page = await open('/ui/')
    const field = page.getByRole('combobox', { name: 'Pages, objects and actions' })
    await page.keyboard.press('Control+k')
    await field.waitFor()
    const marked = page.getByRole('option', { selected: true })
    await page.getByRole('option', { name: /Overview.*shortcut g o/ }).waitFor()
    expect(await axe(page)).toEqual([])
    await field.fill('sentry')
    await page.getByRole('option', { name: /^SENTRY_DSN/ }).waitFor()
    expect(await field.getAttribute('aria-activedescendant')).toBe(await marked.getAttribute('id'))
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/p\/shop\?secret=/)
    await page.keyboard.press('Control+k')
    await field.fill('deploy shop')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Deploy shop' }).waitFor()
    // Escape closes the topmost.
    await field.waitFor({ state: 'hidden' })
    await page.keyboard.press('Escape')
    // The focus is where it was: on the button that the palette has pressed.
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Deploy')
    await page.keyboard.press('y')
    await page.getByText('Pause shop').click()
    await page.getByText('stagely rollout pause stagelet/shop -n default').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await field.fill('no such thing anywhere')
    await page.getByText('No results.').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => field.count()).toBe(0)
  })

  it('says which roles may do what one may not', async () => {
    const { open, rest } = given()
    await rest('POST', '/users', { name: 'pia' })
    await rest('PUT', '/teams/default/members/pia', { role: 'viewer' })
    const made = await rest('POST', '/users/pia/tokens', { name: 'hers' })
    const { token } = JSON.parse(made) as { token: string }
    const page = await open('/ui/', { token, scheme: 'dark', width: 360, height: 640 })
    await page.getByRole('button', { name: 'Find pages, objects and actions' }).click()
    await page.getByRole('combobox').fill('pause shop')
    const option = page.getByRole('option', { name: /^Pause shop/ })
    await option
      .getByText('Needs the role owner or maintainer or operator in the team default.')
      .waitFor()
    expect(await option.getAttribute('aria-disabled')).toBe('true')
    await page.keyboard.press('Enter')
    await option.waitFor()
    expect(new URL(page.url()).pathname).toBe('/ui/')
    await rest('DELETE', '/users/pia')
  })
}
