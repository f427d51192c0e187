// Equality of JSON values, whatever the order of their keys.
import { canonicalJson } from '../kernel/canonical-json.ts'

export { canonicalJson }

/** Equal as JSON; members of the top level named in `ignored` do not count. */
export const sameJson = (a: unknown, b: unknown, ignored: readonly string[] = []): boolean => {
  const without = (value: unknown): unknown =>
    ignored.length === 0 || typeof value !== 'object' || value === null
      ? value
      : Object.fromEntries(Object.entries(value).filter(([key]) => !ignored.includes(key)))
  const [left, right] = [without(a), without(b)]
  // Mostly the one was made from the other, and the keys stand in the same order.
  return (
    JSON.stringify(left) === JSON.stringify(right) || canonicalJson(left) === canonicalJson(right)
  )
}
