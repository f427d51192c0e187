/** When something closes: the focus goes to where it was before, unless a person has it elsewhere by now. */
export const giveBackFocus = (closed: Element | null, before: Element | null): void => {
  const at = document.activeElement
  const isFree = at === null || at === document.body || closed?.contains(at) === true
  if (isFree && before instanceof HTMLElement && before.isConnected) before.focus()
}
