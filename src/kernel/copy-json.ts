// A deep copy of a JSON value. Several times as fast as structuredClone, which also handles other
// types.

export const copyJson = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as unknown[]).map(copyJson) as T
  const copy: Record<string, unknown> = {}
  for (const key in value) {
    // An assignment to `__proto__` would set the prototype.
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: copyJson(value[key]), ...open })
    else copy[key] = copyJson(value[key])
  }
  return copy as T
}

const open = { enumerable: true, configurable: true, writable: true }
