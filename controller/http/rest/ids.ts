// Public ids: a prefix for the kind, and the object's uid (a uuid) as 25 digits of base 36. Each uid
// has one id; other spellings are refused.
import { named, type RestKindName } from '../../../src/kinds/names.ts'

const digits = 25
const largest = (1n << 128n) - 1n
const body = /^[0-9a-z]{25}$/

/** `sec_…` for an object of this kind. */
export const renderId = (kind: RestKindName, uid: string): string =>
  `${named[kind].rest.id}_${BigInt(`0x${uid.replaceAll('-', '')}`)
    .toString(36)
    .padStart(digits, '0')}`

/** The uid in an id of this kind; undefined for anything else. */
export const parseId = (kind: RestKindName, text: string): string | undefined => {
  const prefix = `${named[kind].rest.id}_`
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
    renderedIds.set(object, (id = renderId(object.kind as RestKindName, object.metadata.uid ?? '')))
  return id
}
