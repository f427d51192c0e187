// A deep copy of JSON values: several times as fast as structuredClone, which must expect anything.

export const copyJson = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as unknown[]).map(copyJson) as T
  const copy: Record<string, unknown> = {}
  for (const key in value) {
    // Assigning this one would set the prototype.
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: copyJson(value[key]), ...open })
    else copy[key] = copyJson(value[key])
  }
  return copy as T
}

const open = { enumerable: true, configurable: true, writable: true }
