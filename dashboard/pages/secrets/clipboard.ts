// A value on the clipboard of the system: for so long, and then no more. The page may not read the clipboard, so
// that it empties it without a look.
import { signal, type ReadonlySignal } from '@preact/signals'

const seconds = 45
const left = signal(0)
/** Seconds until the clipboard is emptied; 0: nothing of this page is on it. */
export const clipboardLeft: ReadonlySignal<number> = left

let timer: ReturnType<typeof setInterval> | undefined

/** A browser lets only the page with the focus write: else the clipboard is emptied when that is back. */
const empty = (): void => {
  if (!document.hasFocus()) {
    window.addEventListener('focus', empty, { once: true })
    return
  }
  const done = (): void => {
    left.value = 0
  }
  navigator.clipboard.writeText('').then(done, done)
}

const emptyLater = (): void => {
  clearInterval(timer)
  left.value = seconds
  timer = setInterval(() => {
    if (left.peek() > 1) left.value -= 1
    else {
      clearInterval(timer)
      empty()
    }
  }, 1_000)
}

/** Call it where a person has just pressed something: the value may come later. Throws where it does not come. */
export const copyValue = async (value: Promise<string>): Promise<void> => {
  const text = value.then((it) => new Blob([it], { type: 'text/plain' }))
  // Told below, as the value's own.
  text.catch(() => undefined)
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': text })])
  } catch (refused) {
    // The reason of the controller is worth more than that of the browser.
    await value
    throw refused
  }
  emptyLater()
}
