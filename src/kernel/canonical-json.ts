// One text for each JSON value, whatever the order of the keys.

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return (value as unknown[]).map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, v]) => [key, sorted(v)]),
  )
}

/** JSON with sorted keys. Undefined members are left out; undefined itself becomes 'null'. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value) ?? null)
