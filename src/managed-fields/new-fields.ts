// The fields that the writer of a new value owns: all of them. What compare() finds where nothing was before,
// made without the sets: most writes of a burst are of new objects.
import { frozen } from '../kernel/frozen.ts'
import type { ManagedFieldsEntry } from '../resources/meta.ts'
import { childrenOf, isAbsent } from './children.ts'
import type { FieldsV1 } from './field-set.ts'
import type { ManagerIdentity } from './managers.ts'
import type { Shape } from './shape.ts'

interface At {
  readonly depth: number
  readonly isOwned: boolean
}

/** JSON of the FieldsV1 of all fields; undefined where there is none. */
export const allFieldsText = (shape: Shape, value: unknown): string | undefined =>
  fieldsText(shape, value, { depth: 0, isOwned: false })

/** Undefined where nothing is owned. */
const fieldsText = (shape: Shape, value: unknown, { depth, isOwned }: At): string | undefined => {
  if (isAbsent(value)) return undefined
  const found: [step: string, text: string][] = []
  for (const [step, child] of childrenOf(shape, value) ?? []) {
    // Nobody owns an object, or its metadata, as a whole.
    const below = { depth: depth + 1, isOwned: depth > 0 || step !== 'f:metadata' }
    const text = fieldsText(child.shape, child.value, below)
    if (text !== undefined) found.push([step, `${JSON.stringify(step)}:${text}`])
  }
  if (found.length === 0) return isOwned ? '{}' : undefined
  found.sort(([a], [b]) => (a < b ? -1 : 1))
  const fields = found.map(([, text]) => text).join()
  return isOwned ? `{".":{},${fields}}` : `{${fields}}`
}

/** Most new objects of a kind have the same fields, and such a form takes long to make. */
const forms = new Map<string, FieldsV1>()
const mostForms = 200

export const formOf = (text: string): FieldsV1 => {
  const cached = forms.get(text)
  if (cached !== undefined) return cached
  const form = frozen(JSON.parse(text) as FieldsV1)
  if (forms.size >= mostForms) forms.clear()
  forms.set(text, form)
  return form
}

/** None where there is nothing to own. */
export const entriesOfNew = (
  shape: Shape,
  value: unknown,
  { who, now }: { who: Omit<ManagerIdentity, 'operation'>; now: string },
): ManagedFieldsEntry[] => {
  const { manager, apiVersion, subresource } = who
  const text = allFieldsText(shape, value)
  if (text === undefined) return []
  const entry: ManagedFieldsEntry = {
    manager,
    operation: 'Update',
    apiVersion,
    time: now,
    fieldsType: 'FieldsV1',
    fieldsV1: formOf(text),
  }
  return [subresource === '' ? entry : { ...entry, subresource }]
}
