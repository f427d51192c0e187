// Label and field selectors: parsed once per request, then tested on each object.
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'

type Labels = Readonly<Record<string, string>>
export type LabelSelector = (labels: Labels | undefined) => boolean
export type FieldSelector = (object: KubeObject) => boolean

const part = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?`
const prefix = String.raw`[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/`
const key = `(?:${prefix})?${part}`
const labelValue = new RegExp(`^(?:${part})?$`)
const setTerm = new RegExp(String.raw`^(${key})\s+(in|notin)\s*\(([^()]*)\)$`)
const equalTerm = new RegExp(String.raw`^(${key})\s*(==|=|!=)\s*((?:${part})?)$`)
const orderTerm = new RegExp(String.raw`^(${key})\s*([<>])\s*(\d{1,18})$`)
const existsTerm = new RegExp(String.raw`^(!?)\s*(${key})$`)

/** Each object is tested with each term. */
const maxTerms = 100
const maxLetters = 8_192

const shown = (text: string): string =>
  JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text)

const refuseLong = (what: string, text: string): void => {
  if (text.length > maxLetters)
    throw new StagelyError('BadRequest', `a ${what} selector may have ${maxLetters} letters`)
}

const refuseMany = (what: string, terms: readonly string[]): void => {
  if (terms.length > maxTerms)
    throw new StagelyError('BadRequest', `a ${what} selector may have ${maxTerms} requirements`)
}

/** Splits at commas, except inside parentheses. Linear in the length of the text. */
export const splitTerms = (text: Pick<string, 'length' | 'charAt' | 'slice'>): string[] => {
  const terms: string[] = []
  let start = 0
  let inSet = false
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at)
    if (letter === '(') inSet = true
    else if (letter === ')') inSet = false
    else if (letter === ',' && !inSet) {
      terms.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  return [...terms, text.slice(start, text.length).trim()]
}

/** Own properties only, and not inherited ones such as `constructor`. */
const valueOf = (labels: Labels | undefined, name: string): string | undefined =>
  labels !== undefined && Object.hasOwn(labels, name) ? labels[name] : undefined

/** Only a label that is an integer is greater or less than a number. */
const isBeyond = (value: string | undefined, above: boolean, bound: bigint): boolean => {
  if (value === undefined || !/^\d+$/.test(value)) return false
  return above ? BigInt(value) > bound : BigInt(value) < bound
}

const labelTerm = (text: string, whole: string): LabelSelector => {
  const set = setTerm.exec(text)
  const listed = (set?.[3] ?? '').split(',').map((v) => v.trim())
  if (set !== null && listed.every((v) => labelValue.test(v))) {
    const [, name = '', operator] = set
    const values = new Set<string | undefined>(listed)
    return (labels) => values.has(valueOf(labels, name)) === (operator === 'in')
  }
  const equal = equalTerm.exec(text)
  if (equal !== null) {
    const [, name = '', operator, value = ''] = equal
    return (labels) => (valueOf(labels, name) === value) === (operator !== '!=')
  }
  const order = orderTerm.exec(text)
  if (order !== null) {
    const [, name = '', operator, bound = ''] = order
    return (labels) => isBeyond(valueOf(labels, name), operator === '>', BigInt(bound))
  }
  const exists = existsTerm.exec(text)
  if (exists !== null) {
    const [, not, name = ''] = exists
    return (labels) => (valueOf(labels, name) !== undefined) === (not === '')
  }
  throw new StagelyError(
    'BadRequest',
    `unable to parse requirement in label selector ${shown(whole)}: ${shown(text)}`,
  )
}

/** `a=b,c!=d,e in (f,g),h,!i,j>1`; all must match. BadRequest for a syntax error. */
export const parseLabelSelector = (text: string | undefined): LabelSelector | undefined => {
  if (text === undefined || text.trim() === '') return undefined
  refuseLong('label', text)
  const texts = splitTerms(text)
  refuseMany('label', texts)
  const terms = texts.map((term) => labelTerm(term, text))
  return (labels) => terms.every((term) => term(labels))
}

const metadataFields = ['metadata.name', 'metadata.namespace']
const eventFields = ['name', 'namespace', 'kind', 'uid', 'apiVersion'].map(
  (f) => `involvedObject.${f}`,
)

const fieldsOf = (kind: Kind): readonly string[] =>
  kind.kind === 'Event'
    ? [...metadataFields, ...eventFields, 'reason', 'type']
    : [...metadataFields, ...(kind.selectableFields ?? [])]

/**
 * `path` as clients write it. Fields of an Event are at its top level for clients, and in `spec` in the
 * store.
 */
const fieldOf = (object: KubeObject, path: string): string => {
  const isBelowSpec = object.kind === 'Event' && !path.startsWith('metadata.')
  let value: unknown = isBelowSpec ? object.spec : object
  for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}

/** `metadata.name=x,metadata.namespace!=y`; all must match. BadRequest for an unsupported field. */
export const parseFieldSelector = (
  kind: Kind,
  text: string | undefined,
): FieldSelector | undefined => {
  if (text === undefined || text.trim() === '') return undefined
  refuseLong('field', text)
  const supported = fieldsOf(kind)
  // `\,` and `\=` in a value stand for the characters themselves.
  const texts = (text.match(/(?:[^\\,]|\\.)+/g) ?? []).map((term) => term.trim())
  const given = texts.filter((term) => term !== '')
  refuseMany('field', given)
  const terms = given.map((term): FieldSelector => {
    const match = /^([^=!\s]+)\s*(==|=|!=)((?:[^\\=]|\\[\\,=])*)$/.exec(term)
    if (match === null)
      throw new StagelyError(
        'BadRequest',
        `invalid field selector ${shown(text)}; can't understand ${shown(term)}`,
      )
    const [, path = '', operator, value = ''] = match
    if (!supported.includes(path))
      throw new StagelyError('BadRequest', `field label not supported: ${path}`)
    const wanted = value.trimStart().replaceAll(/\\(.)/g, '$1')
    return (object) => (fieldOf(object, path) === wanted) === (operator !== '!=')
  })
  return (object) => terms.every((term) => term(object))
}
