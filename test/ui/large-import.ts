// An import of more than one request takes. It comes after what reads logs: the agent hides its megabytes in them from
// then on, and looks for each value that a container could print.
import { expect, it } from 'vitest'
import type { Dashboard } from './dashboard.ts'

export const largeImportTests = (given: () => Dashboard): void => {
  it('imports more than one request takes, as one revision, and shows any revision against now', async () => {
    const { open, rest, axe } = given()
    const page = await open('/ui/t/default/p/shop')
    const revisionOf = async (): Promise<number> =>
      (JSON.parse(await rest('GET', '/projects/default%2Fshop')) as { revision: number }).revision
    const before = await revisionOf()
    // Nobody has this scope: no container is re-created.
    await page.evaluate(`{
      const list = [1, 2, 3, 4].map((i) => ({
        key: 'BIG_' + i, scope: 'nobody', type: 'file', file_path: './big' + i, value: 'x'.repeat(800_000),
      }))
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([JSON.stringify(list)], 'big.json'))
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true, bubbles: true }))
    }`)
    await page.getByRole('button', { name: 'Stage 4 secrets' }).click()
    await page.keyboard.press('Control+Enter')
    await page.getByText('they go in 2, and make one revision').waitFor()
    await page.getByRole('button', { name: 'Apply: no container changes' }).click()
    // The review says "Impact, as of revision …" as soon as the stream tells of it, before the answer is here.
    await page.getByRole('heading', { name: `Revision ${before + 1}`, exact: true }).waitFor()
    await expect.poll(revisionOf).toBe(before + 1)

    const address = `/ui/t/default/p/shop?at=${before}&q=is:changed+key:BIG_4`
    const past = await open(address, { after: page })
    await past.getByRole('row', { name: /BIG_4 .*new/ }).waitFor()
    expect(await axe(past)).toEqual([])
    await past.getByRole('button', { name: `Go back to r${before}` }).click()
    await past.getByRole('button', { name: 'Go back: no container changes' }).click()
    await past.getByRole('heading', { name: `Revision ${before + 2}`, exact: true }).waitFor()
    await past.goBack()
    await past.getByRole('button', { name: 'Show current' }).click()
    await past.getByText('No secret matches this filter').waitFor()
  })
}
