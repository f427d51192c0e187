/** True for a JSON or YAML object: neither null nor a list. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a text of JSON says; undefined for any other text. */
export const tryParseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Calls `see` with each value of JSON, containers included, and its depth, until that returns true; then true. */
export const someValue = (
  value: unknown,
  see: (value: unknown, depth: number) => boolean,
  depth = 0,
): boolean => {
  if (see(value, depth)) return true
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((inner) => someValue(inner, see, depth + 1))
  // Lists of keys or values of a large object take several times as long.
  for (const key in value) if (someValue((value as Json)[key], see, depth + 1)) return true
  return false
}

/** Objects are walked by recursion; no valid body is nearly this deep. */
export const mostLevels = 200

/** A list or an object at this depth is below too many others. */
export const isTooDeep = (value: unknown, depth: number): boolean =>
  depth > mostLevels && typeof value === 'object' && value !== null

type Json = Readonly<Record<string, unknown>>

/** True when there are more values than `most`, containers included; stops counting there. */
export const hasMoreValues = (value: unknown, most: number): boolean => {
  let count = 0
  return someValue(value, () => ++count > most)
}
