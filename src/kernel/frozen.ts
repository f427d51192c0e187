// JSON values that nobody can change any more, at any depth.

export const frozen = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const key in value) frozen(value[key])
  return Object.freeze(value)
}

/**
 * A frozen copy, as JSON would make it of data: without members that are undefined, and with null for what JSON has no word
 * for. What is frozen already is a part of it as it is, so that two
 * versions of an object share what has not changed.
 */
export const frozenCopy = <T>(value: T): T => {
  if (typeof value === 'number' && !Number.isFinite(value)) return null as T
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (Array.isArray(value))
    return Object.freeze((value as unknown[]).map((item) => frozenCopy(item) ?? null)) as T
  const copy: Record<string, unknown> = {}
  for (const key in value) {
    const member = frozenCopy<unknown>(value[key])
    if (member === undefined) continue
    // An assignment to `__proto__` would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: member, enumerable: true })
    else copy[key] = member
  }
  return Object.freeze(copy) as T
}
