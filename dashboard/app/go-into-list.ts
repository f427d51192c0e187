// The keys of lists work from wherever the page is: `j` and `k` go to the list of the page, and in a list that is no grid
// from row to row. A grid has keys of its own.
import type { Shortcut } from '../session/keys.ts'

const rows = 'tbody > tr, ul[class*=rows] > li, ul[class*=feed] > li'
const controls = 'a[href], button:not([aria-disabled=true]), summary'

/** The control of the row before or after the one that has the focus. */
const nextControl = (main: Element, step: 1 | -1): HTMLElement | undefined => {
  const all = [...main.querySelectorAll(rows)].flatMap((row) => {
    const control = row.querySelector<HTMLElement>(controls)
    return control === null ? [] : [{ row, control }]
  })
  const at = all.findIndex(({ row }) => row.contains(document.activeElement))
  return at < 0 ? all[0]?.control : all[at + step]?.control
}

const go = (step: 1 | -1): boolean => {
  const main = document.getElementById('main')
  const grid = main?.querySelector<HTMLElement>('[role=grid] [data-active]')
  const target = grid ?? (main === null ? undefined : nextControl(main, step))
  target?.focus()
  return target !== undefined
}

export const listShortcuts: readonly Shortcut[] = [
  { keys: 'j', does: 'Into the list, and down', group: 'Everywhere', run: () => go(1) },
  { keys: 'k', does: 'Into the list, and up', group: 'Everywhere', run: () => go(-1) },
]
