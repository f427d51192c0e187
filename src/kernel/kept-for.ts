/** What was made for the key; made now where nothing was. */
export const keptFor = <K extends object, V>(
  kept: WeakMap<K, V>,
  key: K,
  make: (key: K) => V,
): V => {
  const before = kept.get(key)
  if (before !== undefined) return before
  const made = make(key)
  kept.set(key, made)
  return made
}
