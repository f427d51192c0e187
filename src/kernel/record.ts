/** True for a JSON or YAML object: neither null nor a list. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a text of JSON says; undefined for any other text. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** True when there are more values than `most`, containers included; stops counting there. */
export const hasMoreValues = (value: unknown, most: number): boolean => {
  let count = 0
  const walk = (inner: unknown): boolean =>
    ++count > most ||
    (typeof inner === 'object' && inner !== null && Object.values(inner).some(walk))
  return walk(value)
}
