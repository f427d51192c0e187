// Who may read what through a store: its spec says, not the right of whoever writes the secret. Pure.
import type { SecretStoreSpec } from '../../src/kinds/secret-store/schema.ts'

/** `*` stands for any text. Linear: a pattern is no program. */
export const matchesKey = (pattern: string, key: string): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === key
  const last = rest.pop()!
  if (!key.startsWith(first) || key.length < first.length + last.length) return false
  if (!key.endsWith(last)) return false
  let at = first.length
  const end = key.length - last.length
  for (const part of rest) {
    const found = key.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return at <= end
}

interface Asked {
  readonly project: string
  readonly key: string
  /** Of the secret; absent: it is of the whole project, or of one stagelet. */
  readonly environments?: readonly string[] | undefined
}

/** Why the project may not take the key; undefined: it may. */
export const notAllowed = (
  { allow }: SecretStoreSpec,
  { project, key, environments }: Asked,
): string | undefined => {
  if (allow === undefined) return 'the store allows nothing: set its spec.allow'
  if (!allow.projects.includes(project))
    return `the store does not allow project "${project}": its spec.allow.projects names who may`
  const open = allow.environments
  if (open !== undefined && environments?.every((name) => open.includes(name)) !== true)
    return `the store allows only secrets of ${open.join(', ')}: spec.allow.environments names them, and the secret needs environments among these`
  if (!allow.remote.some((pattern) => matchesKey(pattern, key)))
    return `the store does not allow key "${key}": its spec.allow.remote names what may be read`
  return undefined
}
