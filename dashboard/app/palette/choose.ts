// Which item of a list is marked, as keys move the mark. Pure.

/** Keys of a listbox that is moved from a text field; the others belong to the field. */
export const nextIndex = (key: string, at: number, count: number): number | undefined => {
  if (count === 0) return undefined
  switch (key) {
    case 'ArrowDown':
      return (at + 1) % count
    case 'ArrowUp':
      return (at - 1 + count) % count
    case 'PageDown':
      return Math.min(at + 8, count - 1)
    case 'PageUp':
      return Math.max(at - 8, 0)
    default:
      return undefined
  }
}

/** The mark stays on its item when the list changes, and goes to the first one where that is gone. */
export const markedIndex = (id: string | undefined, ids: readonly string[]): number =>
  Math.max(0, id === undefined ? 0 : ids.indexOf(id))
