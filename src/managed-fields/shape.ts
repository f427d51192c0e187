// How the fields of a kind are owned: field by field, item by item, or as a whole. Derived from the
// schemas of the kinds, so that a new field needs no change here.
import { structuralSchema, type Schema } from '../resources/schemas/crd.ts'
import { ownerReferences } from '../resources/owner-references.ts'
import type { Kind } from '../resources/define-kind.ts'

export type Shape =
  /** A scalar, or a list that is owned as a whole. */
  | { readonly form: 'leaf' }
  | { readonly form: 'struct'; readonly fields: ReadonlyMap<string, Shape> }
  | { readonly form: 'map'; readonly value: Shape }
  /** A list whose items are identified by some of their fields. */
  | { readonly form: 'items'; readonly keys: readonly string[]; readonly item: Shape }
  /** A list of distinct scalars. */
  | { readonly form: 'set' }

const leaf: Shape = { form: 'leaf' }
const texts: Shape = { form: 'map', value: leaf }

const struct = (fields: Iterable<[string, Shape]>): Shape => ({
  form: 'struct',
  fields: new Map(fields),
})

const shapeOfSchema = (schema: Schema): Shape => {
  if (schema['type'] === 'array') return shapeOfList(schema)
  if (schema['type'] !== 'object') return leaf
  const properties = schema['properties'] as Record<string, Schema> | undefined
  if (properties !== undefined)
    return struct(Object.entries(properties).map(([name, child]) => [name, shapeOfSchema(child)]))
  const values = schema['additionalProperties'] as Schema | undefined
  return values === undefined ? leaf : { form: 'map', value: shapeOfSchema(values) }
}

const shapeOfList = (schema: Schema): Shape => {
  switch (schema['x-kubernetes-list-type']) {
    case 'map':
      return {
        form: 'items',
        keys: schema['x-kubernetes-list-map-keys'] as string[],
        item: shapeOfSchema(schema['items'] as Schema),
      }
    case 'set':
      return { form: 'set' }
    default:
      return leaf
  }
}

const serverFields = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
]

const metadata = struct([
  ...serverFields.map((name): [string, Shape] => [name, leaf]),
  ['labels', texts],
  ['annotations', texts],
  ['finalizers', { form: 'set' }],
  ['ownerReferences', shapeOfSchema(structuralSchema(ownerReferences, 'ownerReferences'))],
])

const cached = new Map<Kind, Shape>()

/** Shape of whole objects of the kind, in their wire form. */
export const shapeOfKind = (kind: Kind): Shape => {
  const found = cached.get(kind)
  if (found !== undefined) return found
  const spec = shapeOfSchema(structuralSchema(kind.spec, kind.kind))
  const fields = new Map<string, Shape>([
    ['apiVersion', leaf],
    ['kind', leaf],
    ['metadata', metadata],
  ])
  // A core/v1 Event has its fields beside `metadata`, without a `spec`.
  if (kind.kind === 'Event' && spec.form === 'struct')
    for (const [name, child] of spec.fields) fields.set(name, child)
  else fields.set('spec', spec)
  if (kind.status !== undefined)
    fields.set('status', shapeOfSchema(structuralSchema(kind.status, kind.kind)))
  const shape: Shape = { form: 'struct', fields }
  cached.set(kind, shape)
  return shape
}
