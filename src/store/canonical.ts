// Equality of JSON values. The order of keys does not matter.
import { canonicalJson } from '../kernel/canonical-json.ts'

export { canonicalJson }

type Members = Readonly<Record<string, unknown>>

const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null

const membersOf = (value: Members): number =>
  Object.values(value).reduce<number>((sum, one) => (one === undefined ? sum : sum + 1), 0)

/** A member that is undefined is absent. */
const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (!isMembers(a) || !isMembers(b)) return false
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((one, i) => isSame(one, b[i]))
    )
  return (
    membersOf(a) === membersOf(b) &&
    Object.entries(a).every(([key, one]) => one === undefined || isSame(one, b[key]))
  )
}

/** Equal as JSON; members of the top level named in `ignored` do not count. */
export const sameJson = (a: unknown, b: unknown, ignored: readonly string[] = []): boolean => {
  const without = (value: unknown): unknown =>
    ignored.length === 0 || !isMembers(value)
      ? value
      : Object.fromEntries(Object.entries(value).filter(([key]) => !ignored.includes(key)))
  return isSame(without(a), without(b))
}
