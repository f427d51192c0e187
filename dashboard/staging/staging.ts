// Edits that are staged and not yet applied. Values are in this module's memory only: never in a signal, in
// storage, in another tab, or in an error. What views see of a masked value is its length.
import { computed, signal, type ReadonlySignal } from '@preact/signals'
import { defined } from '../../src/kernel/defined.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import type { paths } from '../../src/generated/rest-types.ts'

type Batch = paths['/projects/{project_id}/secrets/batch']['post']
export type Operation = Batch['requestBody']['content']['application/json']['operations'][number]
export type BatchAnswer = Batch['responses'][200]['content']['application/json']
export type ChangeImpact = BatchAnswer['impact']

interface Place {
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
  readonly type: 'env' | 'file'
  readonly file_path?: string | undefined
}

export interface Edit extends Place {
  /** Of this page only. */
  readonly id: number
  readonly op: 'create' | 'update' | 'delete'
  /** The secret that is changed. */
  readonly secretId?: string
  /** The version that this was made from; the review says when it is another by now. */
  readonly fromVersion?: number
  /** Bytes of the new value; undefined: the stored one stays. */
  readonly bytes?: number | undefined
  /** Fields that change, beside the value. */
  readonly target?: Readonly<Partial<Record<'scope' | 'stagelet', string | null>>>
  /** Other fields by their REST names, as a file of secrets gives them. */
  readonly fields?: Readonly<Record<string, unknown>>
}

export type StagedValue = { readonly value: string } | { readonly value_base64: string }

const staged = signal<Readonly<Record<string, readonly Edit[]>>>({})
const values = new Map<number, StagedValue>()
let lastId = 0

const placeOf = (team: string, project: string): string => `${team}/${project}`

export const editsOf = (team: string, project: string): readonly Edit[] =>
  staged.value[placeOf(team, project)] ?? []

/** Of all projects. */
export const stagedCount: ReadonlySignal<number> = computed(() =>
  Object.values(staged.value).reduce((sum, edits) => sum + edits.length, 0),
)

interface StagedPlace {
  readonly team: string
  readonly project: string
  readonly count: number
}

/** Projects in which something is staged. */
export const stagedPlaces: ReadonlySignal<readonly StagedPlace[]> = computed(() =>
  Object.entries(staged.value).flatMap(([place, { length: count }]) => {
    const [team = '', project = ''] = place.split('/')
    return count === 0 ? [] : [{ team, project, count }]
  }),
)

const set = (place: string, edits: readonly Edit[]): void => {
  staged.value = { ...staged.peek(), [place]: edits }
}

const isSame = (a: Edit, b: Omit<Edit, 'id'>): boolean =>
  a.secretId === undefined
    ? b.secretId === undefined &&
      a.key === b.key &&
      a.scope === b.scope &&
      a.stagelet === b.stagelet &&
      sameJson(a.fields?.['environments'] ?? [], b.fields?.['environments'] ?? [])
    : a.secretId === b.secretId

interface Staged {
  readonly value?: StagedValue | undefined
  /** A staged edit that this one takes the place of. */
  readonly replaces?: number | undefined
  /** A staged edit whose value is taken where none is given. */
  readonly from?: number | undefined
}

const added = (
  before: readonly Edit[],
  edit: Omit<Edit, 'id'>,
  { value, replaces, from }: Staged,
): readonly Edit[] => {
  const isKnown = (other: Edit): boolean => other.id === replaces || isSame(other, edit)
  const replaced = before.find(({ id }) => id === replaces) ?? before.find(isKnown)
  const source = replaced ?? before.find(({ id }) => id === from)
  const stored = edit.op === 'delete' || source === undefined ? undefined : values.get(source.id)
  const id = replaced?.id ?? ++lastId
  const content = value ?? stored
  if (content === undefined) values.delete(id)
  else values.set(id, content)
  const bytes = value === undefined && stored !== undefined ? source?.bytes : edit.bytes
  const next: Edit = { ...edit, id, bytes }
  for (const other of before) if (isKnown(other) && other !== replaced) values.delete(other.id)
  const rest = before.filter((other) => !isKnown(other) || other === replaced)
  return replaced === undefined
    ? [...rest, next]
    : rest.map((other) => (other === replaced ? next : other))
}

/** A later edit of the same secret takes the place of the earlier one, and keeps its value where it has none. */
export const stage = (
  where: readonly [string, string],
  edit: Omit<Edit, 'id'>,
  how: Staged = {},
): void => stageAll(where, [{ edit, how }])

/** Many at once: views are updated once. */
export const stageAll = (
  [team, project]: readonly [string, string],
  list: readonly { readonly edit: Omit<Edit, 'id'>; readonly how: Staged }[],
): void => {
  const place = placeOf(team, project)
  const before = staged.peek()[place] ?? []
  set(
    place,
    list.reduce((edits, { edit, how }) => added(edits, edit, how), before),
  )
}

export const unstage = (team: string, project: string, id: number): void => {
  values.delete(id)
  const place = placeOf(team, project)
  set(
    place,
    (staged.peek()[place] ?? []).filter((edit) => edit.id !== id),
  )
}

export const discardAll = (team: string, project: string): void => {
  for (const { id } of editsOf(team, project)) values.delete(id)
  set(placeOf(team, project), [])
}

const operationOf = (edit: Edit): Operation => {
  const { op, key, scope, stagelet, type, file_path, secretId = '', target, fields } = edit
  if (op === 'delete') return { op, id: secretId }
  const value = values.get(edit.id) ?? {}
  if (op === 'update') return { op, id: secretId, ...fields, ...value, ...target } as Operation
  const file = file_path === undefined ? {} : { file_path }
  return {
    op,
    ...fields,
    key,
    scope,
    type,
    ...defined({ stagelet }),
    ...file,
    ...value,
  }
}

/** What an edit makes of the visibility. */
export const visibilityAfter = (
  { fields }: Edit,
  stored: { readonly visibility?: 'Masked' | 'Plain' } | undefined,
): 'Masked' | 'Plain' =>
  fields?.['visibility'] === undefined
    ? (stored?.visibility ?? 'Masked')
    : fields['visibility'] === 'Plain'
      ? 'Plain'
      : 'Masked'

/** The new value where it is plain from then on; undefined: it is masked, no text, or none is given. */
export const plainTextOf = (
  edit: Edit,
  stored: Parameters<typeof visibilityAfter>[1],
): string | undefined => {
  const value = visibilityAfter(edit, stored) === 'Plain' ? values.get(edit.id) : undefined
  return value !== undefined && 'value' in value ? value.value : undefined
}

/** Only for the request: what it returns holds values. */
export const operationsOf = (edits: readonly Edit[]): Operation[] => edits.map(operationOf)

export const forgetAll = (): void => {
  values.clear()
  staged.value = {}
}

/** A page that the browser keeps for going back must hold no value. */
if (typeof window !== 'undefined') {
  window.addEventListener('pagehide', forgetAll)
  window.addEventListener('beforeunload', (event) => {
    if (stagedCount.peek() > 0) event.preventDefault()
  })
}
