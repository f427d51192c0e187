// What a form holds, by the names of REST, as a manifest and back; and which field a fault is about. Pure.
import type { Form, FormField } from '../../../src/resources/schemas/form.ts'
import { isSpec, type Spec } from '../../actions/kinds.ts'
import type { JsonValue } from '../../api/text.ts'

export interface FieldFault {
  readonly field: string
  readonly message: string
}

/** The map at this name; empty where there is none. */
export const partOf = (object: Spec, name: string): Spec => {
  const part = object[name]
  return isSpec(part) ? part : {}
}

const withAt = (object: Spec, [first = '', ...rest]: readonly string[], value: JsonValue): Spec => {
  const before = object[first]
  const next = rest.length === 0 ? value : withAt(isSpec(before) ? before : {}, rest, value)
  return { ...object, [first]: next }
}

/** The spec of a manifest. */
export const formManifest = ({ fields }: Form, value: Spec): Spec =>
  fields.reduce<Spec>((spec, { name, path, form }) => {
    const given = value[name]
    if (given === undefined) return spec
    return withAt(spec, path, form === undefined ? given : inManifest(form, given))
  }, {})

/** A group, or each of several. */
const inManifest = (form: Form, given: JsonValue): JsonValue => {
  if (Array.isArray(given)) return given.map((one: JsonValue) => inManifest(form, one))
  return isSpec(given) ? formManifest(form, given) : given
}

/** REST takes no `null` for a field that has a default, but the default. */
const usualOf = ({ type, usual }: FormField): JsonValue => {
  if (usual === undefined) return null
  return type === 'number' || type === 'flag' ? (JSON.parse(usual) as JsonValue) : usual
}

/** The body of a patch in REST: the fields that differ. A list and a map are sent whole; a field that goes is as usual again. */
export const restPatchOf = ({ fields }: Form, before: Spec, after: Spec): Spec =>
  Object.fromEntries(
    fields.flatMap((field): readonly (readonly [string, JsonValue])[] => {
      const { name, form } = field
      const [previous, next] = [before[name], after[name]]
      if (JSON.stringify(previous) === JSON.stringify(next)) return []
      if (next === undefined) return [[name, usualOf(field)]]
      const isGroup = form !== undefined && isSpec(previous) && isSpec(next)
      return [[name, isGroup ? restPatchOf(form, previous, next) : next]]
    }),
  )

const noSuchField = 'no such field: mend its name, or take it out'

/** Keys that lie on no way to a field, and what is no map where a way goes on. */
const faultsOfKeys = (
  paths: readonly (readonly string[])[],
  spec: Spec,
  place: string,
): readonly FieldFault[] =>
  Object.entries(spec).flatMap(([key, given]): readonly FieldFault[] => {
    const field = `${place}.${key}`
    const rest = paths.filter(([first]) => first === key).map((path) => path.slice(1))
    if (rest.length === 0) return [{ field, message: noSuchField }]
    if (given === undefined || given === null || rest.some(({ length }) => length === 0)) return []
    if (isSpec(given)) return faultsOfKeys(rest, given, field)
    return [{ field, message: `must be a map with ${rest.map(([next]) => next).join(', ')}` }]
  })

/** The other way round. What the form does not know is a fault: nothing of a text is dropped silently. */
export const valueOf = (
  { fields }: Form,
  spec: Spec,
  place = 'spec',
): { readonly value: Spec; readonly faults: readonly FieldFault[] } => {
  const paths = fields.map(({ path }) => path)
  const faults: FieldFault[] = [...faultsOfKeys(paths, spec, place)]
  const value: Record<string, JsonValue> = {}
  for (const { name, path, type, form } of fields) {
    const given = path.reduce<JsonValue | undefined>(
      (at, key) => (isSpec(at) ? at[key] : undefined),
      spec,
    )
    if (given === undefined || given === null) continue
    if (form === undefined) {
      value[name] = given
      continue
    }
    const at = `${place}.${path.join('.')}`
    const isList = type === 'groups' && Array.isArray(given)
    const groups = isList
      ? given.map((group: JsonValue, i) => groupOf(form, group, `${at}[${i}]`))
      : [groupOf(form, given, at)]
    const read = groups.map((group) => group.value)
    value[name] = isList ? read : (read[0] ?? null)
    faults.push(...groups.flatMap((group) => group.faults))
  }
  return { value, faults }
}

const groupOf = (
  form: Form,
  given: JsonValue,
  place: string,
): { readonly value: JsonValue; readonly faults: readonly FieldFault[] } =>
  isSpec(given)
    ? valueOf(form, given, place)
    : { value: given, faults: [{ field: place, message: 'must be a map of fields' }] }

/** Of an object as REST shows it: what a form can change of it. */
export const givenOf = ({ fields }: Form, shown: Spec): Spec =>
  Object.fromEntries(
    fields.flatMap(({ name }) => (shown[name] === undefined ? [] : [[name, shown[name]]])),
  )

/** `value` with another value of the field; a group without anything goes, unless its presence says something. */
export const withField = (
  { oneOf = [] }: Form,
  value: Spec,
  { name, required }: FormField,
  next: JsonValue | undefined,
): Spec => {
  const stays = required === true || oneOf.includes(name)
  const isGone = next === undefined || (!stays && isSpec(next) && Object.keys(next).length === 0)
  const { [name]: _, ...others } = value
  return isGone ? others : { ...value, [name]: next }
}

/** `value` with this one of those of which exactly one is given. */
export const withChosen = ({ fields, oneOf = [] }: Form, value: Spec, chosen: string): Spec => {
  const others = Object.entries(value).filter(([name]) => !oneOf.includes(name))
  const field = fields.find(({ name }) => name === chosen)
  const entries: readonly [string, JsonValue][] =
    field === undefined ? [] : [[chosen, value[chosen] ?? (field.form === undefined ? '' : {})]]
  return Object.fromEntries([...others, ...entries])
}

/** Places of all fields: `webhook.signing_key`. */
export const fieldPlaces = ({ fields }: Form, before = ''): string[] =>
  fields.flatMap(({ name, type, form }) => [
    `${before}${name}`,
    ...(form === undefined || type === 'groups' ? [] : fieldPlaces(form, `${before}${name}.`)),
  ])

/** The faults by the field that shows them; those of none are at ''. */
export const faultsByField = (
  places: readonly string[],
  faults: readonly FieldFault[],
): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>()
  for (const { field, message } of faults) {
    const owner = places
      .filter(
        (place) =>
          field === place || (/^[.[]/.test(field.slice(place.length)) && field.startsWith(place)),
      )
      .reduce((longest, place) => (place.length > longest.length ? place : longest), '')
    const rest = owner === '' ? field : field.slice(owner.length).replace(/^\./, '')
    const text = rest === '' ? message : `${rest}: ${message}`
    found.set(owner, [...(found.get(owner) ?? []), text])
  }
  return found
}

/** True where something is given in it, or wrong with it: it is not folded away then. */
export const isFieldOpen = (
  value: JsonValue | undefined,
  place: string,
  faults: ReadonlyMap<string, unknown>,
): boolean =>
  value !== undefined ||
  [...faults.keys()].some((fault) => fault === place || fault.startsWith(`${place}.`))

/** `progress_deadline_seconds`: Progress deadline seconds. */
export const labelOf = (name: string): string => {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** A number, or the text as it is: the controller says what is wrong with it. */
export const numberOr = (text: string): number | string | undefined => {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : trimmed
}

/** One text a line. */
export const textLines = (text: string): string[] | undefined => {
  const lines = text.split('\n').map((line) => line.trim())
  const given = lines.filter((line) => line !== '')
  return given.length === 0 ? undefined : given
}

export interface Draft {
  readonly team: string
  readonly name: string
  readonly value: Spec
}

const apiVersion = 'stagely.dev/v1alpha1'

export const objectOf = (kind: string, form: Form, { team, name, value }: Draft): Spec => ({
  apiVersion,
  kind,
  metadata: { name, namespace: team },
  spec: formManifest(form, value),
})

const keysBut = (object: Spec, fields: readonly string[]): string[] =>
  Object.keys(object).filter((key) => !fields.includes(key))

type Place = Pick<Draft, 'team' | 'name'>

const faultsOfMeta = (given: Spec, edited: Place | undefined): readonly FieldFault[] => {
  const { name, namespace } = given
  const others = keysBut(given, ['name', 'namespace']).map((key) => ({
    field: `metadata.${key}`,
    message: 'cannot be set by a form: take it out, and set it with kubectl',
  }))
  if (edited !== undefined && (edited.team !== namespace || edited.name !== name)) {
    const message = `must stay ${edited.name} in the team ${edited.team}`
    return [{ field: 'metadata', message }, ...others]
  }
  const noTexts = Object.entries({ name, namespace })
    .filter(([, text]) => text !== undefined && typeof text !== 'string')
    .map(([key]) => ({ field: `metadata.${key}`, message: 'must be a text: put it in quotes' }))
  return [...noTexts, ...others]
}

/** What a manifest says; `edited`: the object that it must be about. */
export const draftOf = (
  kind: string,
  form: Form,
  given: unknown,
  edited?: Place,
): { readonly draft: Draft; readonly faults: readonly FieldFault[] } => {
  const object = isSpec(given) ? given : {}
  const metadata = partOf(object, 'metadata')
  const { value, faults } = valueOf(form, partOf(object, 'spec'))
  const textAt = (key: string): string => {
    const text = metadata[key]
    return typeof text === 'string' ? text : ''
  }
  const must = (field: string, text: string): readonly FieldFault[] =>
    object[field] === text ? [] : [{ field, message: `must be ${text}` }]
  const mapFaults = ['metadata', 'spec']
    .filter((field) => !isSpec(object[field]))
    .map((field) => ({ field, message: 'must be a map of fields' }))
  return {
    draft: { team: textAt('namespace'), name: textAt('name'), value },
    faults: [
      ...must('apiVersion', apiVersion),
      ...must('kind', kind),
      ...mapFaults,
      ...keysBut(object, ['apiVersion', 'kind', 'metadata', 'spec']).map((field) => ({
        field,
        message: noSuchField,
      })),
      ...(isSpec(object['metadata']) ? faultsOfMeta(metadata, edited) : []),
      ...faults,
    ],
  }
}
