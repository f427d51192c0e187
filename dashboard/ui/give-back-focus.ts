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
