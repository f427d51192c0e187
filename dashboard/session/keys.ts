// Shortcuts. A page registers its keys while it is shown; the newest registration of a key wins. Keys are
// matched by what they type, never by where they lie on the keyboard.
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { appearance } from './look.ts'

export interface Shortcut {
  /** What is pressed: `n`, `g o`, `Mod+Enter`, `Escape`. */
  readonly keys: string
  /** What that does, for the sheet. */
  readonly does: string
  readonly group?: string
  /** Returns false where the key is not for this one; then an older registration is asked. */
  readonly run: () => boolean | undefined
}

type Registration = { readonly current: readonly Shortcut[] }
const registrations = signal<readonly Registration[]>([])

/** All that can be pressed now, for the sheet. */
export const shortcuts = (): readonly Shortcut[] =>
  registrations.value.flatMap(({ current }) => current)

export const useShortcuts = (list: readonly Shortcut[]): void => {
  const ref = useRef(list)
  ref.current = list
  useEffect(() => {
    registrations.value = [...registrations.peek(), ref]
    return () => {
      registrations.value = registrations.peek().filter((registration) => registration !== ref)
    }
  }, [])
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

const pressed = (event: KeyboardEvent): string => {
  const mod = event.ctrlKey || event.metaKey
  // Shift is part of what a letter types: `?` is the key, however it is made.
  return `${mod ? 'Mod+' : ''}${event.key}`
}

const chordMs = 1200

const find = (keys: string): boolean =>
  registrations
    .peek()
    .toReversed()
    .some(({ current }) =>
      current.some((shortcut) => shortcut.keys === keys && shortcut.run() !== false),
    )

export const listenForKeys = (): void => {
  let first = { key: '', at: 0 }
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing) return
    // The page behind a dialog gets no keys.
    if (document.querySelector('dialog:modal') !== null) return
    const key = pressed(event)
    const isPlain = key.length === 1
    if (isPlain && (isTyping(event.target) || !appearance.peek().letters)) return
    if (key === 'Escape' && document.querySelector(':popover-open') !== null) return
    const chord = event.timeStamp - first.at < chordMs ? `${first.key} ${key}` : ''
    first = { key: isPlain ? key : '', at: event.timeStamp }
    if ((chord !== '' && find(chord)) || find(key)) {
      first = { key: '', at: 0 }
      event.preventDefault()
    }
  })
}
