// What a form is: the fields of a kind, as form-fields.ts derives them from its schema.

type Type =
  | 'text'
  | 'number'
  | 'flag'
  | 'choice'
  /** Several texts. */
  | 'texts'
  /** Several of a few. */
  | 'choices'
  /** Texts by name. */
  | 'map'
  /** Fields of its own. */
  | 'group'
  /** Several times these fields. */
  | 'groups'

export interface FormField {
  /** In REST. */
  readonly name: string
  /** In the manifest, below what the field is a part of. */
  readonly path: readonly string[]
  readonly type: Type
  readonly help: string
  readonly required?: true
  readonly options?: readonly string[]
  /** Kind of the object that it names. */
  readonly refersTo?: string
  /** What holds where nothing is given. */
  readonly usual?: string
  /** Of a group, and of each of several. */
  readonly form?: Form
}

export interface Form {
  readonly fields: readonly FormField[]
  /** Names of fields of which exactly one is given. */
  readonly oneOf?: readonly string[]
}
