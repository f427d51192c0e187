// A JSON value that nobody can change any more, at any depth.

export const frozen = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const key in value) frozen(value[key])
  return Object.freeze(value)
}
