import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'
import { giveBackFocus } from './give-back-focus.ts'

/**
 * A modal dialog while it is drawn. It opens and closes in the step that draws it: after the next paint would be too
 * late, since a quick key would go to the page behind it, and take the focus from where it was.
 */
export const useModal = (ref: RefObject<HTMLDialogElement | null>): void => {
  useLayoutEffect(() => {
    const before = document.activeElement
    const dialog = ref.current
    dialog?.showModal()
    return () => {
      // Nothing behind a modal dialog takes the focus.
      dialog?.close()
      giveBackFocus(dialog, before)
    }
  }, [])
}
