// Public ids: a prefix for the kind, and the object's uid (a uuid) as 25 digits of base 36. Each uid
// has one id; other spellings are refused.

const prefixes = {
  Project: 'proj',
  StagelySecret: 'sec',
  Stagelet: 'stg',
  Agent: 'agt',
  Notifier: 'ntf',
  SecretStore: 'sto',
  Rotation: 'rot',
  TrustedIssuer: 'iss',
  AccessPolicy: 'pol',
  AccessRequest: 'areq',
} as const
export type IdKind = keyof typeof prefixes

const digits = 25
const largest = (1n << 128n) - 1n
const body = /^[0-9a-z]{25}$/

/** `sec_…` for an object of this kind. */
export const renderId = (kind: IdKind, uid: string): string =>
  `${prefixes[kind]}_${BigInt(`0x${uid.replaceAll('-', '')}`)
    .toString(36)
    .padStart(digits, '0')}`

/** The uid in an id of this kind; undefined for anything else. */
export const parseId = (kind: IdKind, text: string): string | undefined => {
  const prefix = `${prefixes[kind]}_`
  const rest = text.slice(prefix.length)
  if (!text.startsWith(prefix) || !body.test(rest)) return undefined
  let number = 0n
  for (const digit of rest) number = number * 36n + BigInt(parseInt(digit, 36))
  if (number > largest) return undefined
  const hex = number.toString(16).padStart(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const renderedIds = new WeakMap<object, string>()

/** The id of a stored object, which always has a uid. A list is asked for again and again: its ids are kept with its objects. */
export const idOf = (object: {
  readonly kind: string
  readonly metadata: { readonly uid?: string }
}): string => {
  let id = renderedIds.get(object)
  if (id === undefined)
    renderedIds.set(object, (id = renderId(object.kind as IdKind, object.metadata.uid ?? '')))
  return id
}
