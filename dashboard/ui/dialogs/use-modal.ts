import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

/**
 * When something closes: the focus goes to where it was before, unless a person has it elsewhere by now. Where that
 * is gone, it goes to the page, so that the next Tab does not begin at the top of the window.
 */
export const giveBackFocus = (closed: Element | null, before: Element | null): void => {
  const at = document.activeElement
  const isFree = at === null || at === document.body || closed?.contains(at) === true
  if (!isFree || !(before instanceof HTMLElement)) return
  if (before.isConnected) before.focus()
  else document.getElementById('main')?.focus({ preventScroll: true })
}

const fields = ['input', 'select', 'textarea']
  .map((field) => `${field}:not([type=hidden], [type=file], [disabled])`)
  .join()

/**
 * A modal dialog while it is drawn. It opens and closes in the step that draws it: after the next paint would be too
 * late, since a quick key would go to the page behind it, and take the focus from where it was.
 */
export const useModal = (ref: RefObject<HTMLDialogElement | null>): void => {
  useLayoutEffect(() => {
    const before = document.activeElement
    const dialog = ref.current
    dialog?.showModal()
    // Without a word the browser takes the first button, which closes.
    if (dialog?.querySelector('[autofocus]') === null)
      dialog.querySelector<HTMLElement>(fields)?.focus()
    return () => {
      // Nothing behind a modal dialog takes the focus.
      dialog?.close()
      giveBackFocus(dialog, before)
    }
  }, [])
}
