// What a form holds, by the names of REST, as a manifest and back; and which field a fault is about. Pure.
import type { Form, FormField } from '../../../src/resources/schemas/form.ts'
import type { Spec } from '../../actions/kinds.ts'
import type { JsonValue } from '../../actions/text.ts'

export interface FieldFault {
  readonly field: string
  readonly message: string
}

export const isSpec = (value: unknown): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const withAt = (object: Spec, [first = '', ...rest]: readonly string[], value: JsonValue): Spec => {
  const before = object[first]
  const next = rest.length === 0 ? value : withAt(isSpec(before) ? before : {}, rest, value)
  return { ...object, [first]: next }
}

/** The spec of a manifest. */
export const manifestOf = ({ fields }: Form, value: Spec): Spec =>
  fields.reduce<Spec>((spec, { name, path, form }) => {
    const given = value[name]
    if (given === undefined) return spec
    return withAt(spec, path, form !== undefined && isSpec(given) ? manifestOf(form, given) : given)
  }, {})

/** The other way round. A field that the form does not know is a fault: nothing of a text is dropped silently. */
export const valueOf = (
  { fields }: Form,
  spec: Spec,
  place = 'spec',
): { readonly value: Spec; readonly faults: readonly FieldFault[] } => {
  const faults: FieldFault[] = Object.keys(spec)
    .filter((key) => !fields.some(({ path }) => path[0] === key))
    .map((key) => ({ field: `${place}.${key}`, message: 'no such field' }))
  const value: Record<string, JsonValue> = {}
  for (const { name, path, form } of fields) {
    const given = path.reduce<JsonValue | undefined>((at, key) => (isSpec(at) ? at[key] : at), spec)
    if (given === undefined || given === null) continue
    if (form === undefined || !isSpec(given)) {
      value[name] = given
      continue
    }
    const inner = valueOf(form, given, `${place}.${path.join('.')}`)
    value[name] = inner.value
    faults.push(...inner.faults)
  }
  return { value, faults }
}

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
  const made: readonly [string, JsonValue][] =
    field === undefined ? [] : [[chosen, value[chosen] ?? (field.form === undefined ? '' : {})]]
  return Object.fromEntries([...others, ...made])
}

/** Places of all fields: `webhook.signing_key`. */
export const fieldPlaces = ({ fields }: Form, before = ''): string[] =>
  fields.flatMap(({ name, form }) => [
    `${before}${name}`,
    ...(form === undefined ? [] : fieldPlaces(form, `${before}${name}.`)),
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
export const isOpen = (
  value: JsonValue | undefined,
  place: string,
  faults: ReadonlyMap<string, unknown>,
): boolean =>
  value !== undefined ||
  [...faults.keys()].some((one) => one === place || one.startsWith(`${place}.`))

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

export const objectOf = (kind: string, form: Form, { team, name, value }: Draft): Spec => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name, namespace: team },
  spec: manifestOf(form, value),
})

/** What a manifest says; `edited`: the object that it must be about. */
export const draftOf = (
  kind: string,
  form: Form,
  given: unknown,
  edited?: Pick<Draft, 'team' | 'name'>,
): { readonly draft: Draft; readonly faults: readonly FieldFault[] } => {
  const object = isSpec(given) ? given : {}
  const metadata = isSpec(object['metadata']) ? object['metadata'] : {}
  const { value, faults } = valueOf(form, isSpec(object['spec']) ? object['spec'] : {})
  const nameIn = (key: string): string => {
    const text = metadata[key]
    return typeof text === 'string' ? text : ''
  }
  const draft = { team: nameIn('namespace'), name: nameIn('name'), value }
  const isOther = edited !== undefined && (edited.team !== draft.team || edited.name !== draft.name)
  return {
    draft,
    faults: [
      ...(object['kind'] === kind ? [] : [{ field: 'kind', message: `must be ${kind}` }]),
      ...(isOther
        ? [{ field: 'metadata', message: `must stay ${edited.name} in the team ${edited.team}` }]
        : []),
      ...faults,
    ],
  }
}
