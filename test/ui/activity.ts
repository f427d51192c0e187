// What lasts: the feed, the kept rollouts with the engine's own times, and receipts.
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import type { Dashboard } from './dashboard.ts'

interface Kept {
  readonly revision: number
  readonly cause: string
  readonly result: string
  readonly started_at: string
  readonly finished_at: string
  readonly services: readonly {
    readonly name: string
    readonly what: string
    readonly since: string
  }[]
}

interface State {
  readonly StartedAt: string
  readonly Health: { readonly Log: readonly { readonly End: string; readonly ExitCode: number }[] }
}

/** After the tests of stagelets, which have broken a service and mended it. */
export const activityTests = (given: () => Dashboard): void => {
  it('tells what happened in words, by kinds, and says how many are new', async () => {
    const { open, world, axe } = given()
    const page = await open('/ui/activity', { scheme: 'dark' })
    await page
      .getByText(/backend is to blame, with DATABASE_URL set by admin/)
      .first()
      .waitFor()
    await page
      .getByText(/web .* was removed.*; healed/)
      .first()
      .waitFor()
    await page.getByLabel('Kind').selectOption('control')
    await expect.poll(() => page.getByText('to blame').count()).toBe(0)
    // It stands in the list of all kinds too, which is gone by now.
    await page.getByText('what failed is to be tried again').first().waitFor()
    expect(new URL(page.url()).search).toBe('?kind=control')
    const rows = page.getByRole('list', { name: 'Activity of Today' }).getByRole('listitem')
    const before = await rows.count()
    await world.must('rollout', 'pause', 'stagelet/shop')
    try {
      await page.getByRole('button', { name: '1 new' }).click()
      await expect.poll(() => rows.count()).toBe(before + 1)
      expect(await rows.first().innerText()).toMatch(/Paused[^]*shop\/shop[^]*by admin/)
    } finally {
      await world.must('rollout', 'resume', 'stagelet/shop')
    }
    expect(await axe(page)).toEqual([])
  })

  it('keeps rollouts with the times that the engine says, the skew of the clock taken off', async () => {
    const { open, rest, stack, axe } = given()
    const read = async <T>(path: string): Promise<T> => JSON.parse(await rest('GET', path)) as T
    const { rollouts } = await read<{ rollouts: Kept[] }>('/stagelets/default%2Fshop/rollouts')
    const { clock_skew_ms: skew } = await read<{ clock_skew_ms: number }>('/agents/default%2Fbox')
    expect(rollouts.map(({ result }) => result)).toContain('RolledBack')
    const { services, started_at: from, finished_at: to } = rollouts[0]!
    for (const { name, since } of services) {
      const container = (await stack.containers())[name]!
      const startedAt = Date.parse(container.startedAt) - skew
      expect(Math.abs(Date.parse(since) - startedAt)).toBeLessThan(100)
    }
    expect(Date.parse(to)).toBeGreaterThan(Date.parse(from))

    // The clock of the revision that made the container of backend which runs now.
    const made = rollouts.find(({ cause, services: of }) =>
      of.some(
        ({ name, what }) => cause === 'NewRevision' && name === 'backend' && what !== 'untouched',
      ),
    )
    const watch = await open(`/ui/t/default/p/shop/revisions/${made?.revision ?? 0}`)
    const times = watch
      .getByRole('table', { name: 'Containers' })
      .getByRole('row', { name: /backend/ })
      .locator('time')
    await times.nth(1).waitFor()
    const { id } = (await stack.containers())['backend']!
    const { StartedAt: startedAt, Health } = JSON.parse(
      await stack.docker('inspect', '--format', '{{json .State}}', id),
    ) as State
    const healthyAt = Health.Log.find(({ ExitCode }) => ExitCode === 0)?.End ?? ''
    for (const [i, engine] of [startedAt, healthyAt].entries()) {
      const shown = Date.parse((await times.nth(i).getAttribute('datetime')) ?? '')
      expect(Math.abs(shown - (Date.parse(engine) - skew))).toBeLessThan(100)
    }
    const phone = { width: 360, height: 640 }
    const page = await open('/ui/t/default/s/shop?tab=history', { ...phone, after: watch })
    const rows = page.getByRole('table', { name: 'Rollouts of shop' }).getByRole('row')
    await expect.poll(() => rows.count()).toBe(rollouts.length + 1)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    expect(await axe(page)).toEqual([])
  })

  it('shows a receipt in words, checked by the browser, and gives it as a file that holds', async () => {
    const { open, world } = given()
    const page = await open('/ui/t/default/p/shop/revisions/1')
    // The project comes after the revision: what is open stays while the revision is read again.
    const projects = (url: URL): boolean => url.pathname.endsWith('/projects')
    await page.route(projects, async (route) => {
      await realClock.sleep(1_000)
      await route.continue()
    })
    const known = page.waitForResponse((response) => projects(new URL(response.url())))
    await page.reload()
    await page.getByRole('button', { name: 'Receipt…' }).click()
    await known
    await realClock.sleep(300)
    await page.getByText('Signature verified in this browser').waitFor()
    await page.getByText(/^Revision 1 of default\/shop was made by admin/).waitFor()
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download the signed JSON' }).click()
    const text = await readFile(await (await saved).path(), 'utf8')
    expect((await world.cliWith(text, 'report', 'verify', '-')).stdout).toContain('Revision 1 of')
  })
}
