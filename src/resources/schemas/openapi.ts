// The schemas of the OpenAPI v3 documents: of each served kind, of its lists, and of the parts that
// every object has.
import { objectSchema, structuralSchema, type Schema } from './crd.ts'
import { metaSchemas, refTo } from './openapi-meta.ts'
import type { Kind } from '../../resources/define-kind.ts'

export const groupVersionKind = ({ group, version, kind }: Kind): object => ({
  group,
  version,
  kind,
})

const schemaName = (kind: Kind): string =>
  kind.group === ''
    ? `io.k8s.api.core.${kind.version}.${kind.kind}`
    : `${kind.group.split('.').reverse().join('.')}.${kind.version}.${kind.kind}`

const refToName = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
export const refToKind = (kind: Kind): Schema => refToName(schemaName(kind))
export const refToList = (kind: Kind): Schema => refToName(`${schemaName(kind)}List`)

/** A core/v1 Event has its fields beside `metadata`, not under `spec`. */
const bodySchema = (kind: Kind): Schema => {
  const whole = objectSchema(kind)
  const properties = whole['properties'] as Record<string, Schema>
  const metadata = {
    description: 'Name, labels and what the server keeps of the object.',
    allOf: [refTo('ObjectMeta')],
  }
  if (kind.kind !== 'Event') return { ...whole, properties: { ...properties, metadata } }
  const { apiVersion, kind: kindField } = properties
  const { properties: fields, required } = structuralSchema(kind.spec, kind.kind)
  return {
    type: 'object',
    description: kind.description,
    required,
    properties: { apiVersion: apiVersion!, kind: kindField!, metadata, ...(fields as object) },
  }
}

const listSchema = (kind: Kind): Schema => {
  const { apiVersion, kind: kindField } = objectSchema(kind)['properties'] as Record<string, Schema>
  return {
    type: 'object',
    description: `A list of ${kind.plural}.`,
    required: ['items'],
    properties: {
      apiVersion: apiVersion!,
      kind: kindField!,
      metadata: {
        description: 'Version of the list, and where it goes on.',
        allOf: [refTo('ListMeta')],
      },
      items: { type: 'array', description: 'The objects.', items: refToKind(kind) },
    },
  }
}

const asKind = (schema: Schema, kind: Kind): Schema => ({
  ...schema,
  'x-kubernetes-group-version-kind': [groupVersionKind(kind)],
})

/** Every schema that a document of these kinds may refer to. */
export const openApiSchemas = (members: readonly Kind[]): Readonly<Record<string, Schema>> => ({
  ...Object.fromEntries(
    members.flatMap((kind) => [
      [schemaName(kind), asKind(bodySchema(kind), kind)],
      [`${schemaName(kind)}List`, asKind(listSchema(kind), { ...kind, kind: `${kind.kind}List` })],
    ]),
  ),
  ...metaSchemas,
})
