/** Adds all items. As arguments of one `push` many of them are a RangeError. */
export const append = <T>(list: T[], more: Iterable<T>): void => {
  for (const item of more) list.push(item)
}
