// How the page looks to this person: theme and density. Kept in the browser's storage, as is nothing else but
// settings; theme.js reads them before the first paint.
import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

interface Look {
  readonly theme: Theme
  readonly density: 'normal' | 'dense'
  /** Shortcuts of one letter. */
  readonly letters: boolean
}

const key = 'stagely.look'
const standard: Look = { theme: 'system', density: 'normal', letters: true }

const stored = (): Look => {
  try {
    return { ...standard, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Look>) }
  } catch {
    return standard
  }
}

export const appearance = signal<Look>(stored())

export const setLook = (change: Partial<Look>): void => {
  appearance.value = { ...appearance.value, ...change }
  try {
    localStorage.setItem(key, JSON.stringify(appearance.value))
  } catch {
    // Storage may be refused: the choice holds for this page.
  }
}

effect(() => {
  const { dataset } = document.documentElement
  const { theme, density } = appearance.value
  if (theme === 'system') delete dataset['theme']
  else dataset['theme'] = theme
  if (density === 'normal') delete dataset['density']
  else dataset['density'] = density
})
