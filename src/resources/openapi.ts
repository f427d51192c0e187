// The OpenAPI v3 documents that kubectl needs for apply, create, replace and explain (contract 1.1, 4).
import { objectSchema, structuralSchema, type Schema } from './crd.ts'
import { apiVersionOf, kinds, type Kind } from './registry.ts'

const metaPrefix = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${metaPrefix}.${name}` })
const text: Schema = { type: 'string' }
const time: Schema = { allOf: [ref('Time')] }
const texts: Schema = { type: 'object', additionalProperties: text }
const int64: Schema = { type: 'integer', format: 'int64' }

const metaSchemas: Record<string, Schema> = {
  [`${metaPrefix}.Time`]: { type: 'string', format: 'date-time' },
  [`${metaPrefix}.ObjectMeta`]: {
    type: 'object',
    description: 'What every object has.',
    properties: {
      name: text,
      generateName: text,
      namespace: text,
      labels: texts,
      annotations: texts,
      finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
      uid: text,
      resourceVersion: text,
      generation: int64,
      creationTimestamp: time,
      deletionTimestamp: time,
      deletionGracePeriodSeconds: int64,
      managedFields: {
        type: 'array',
        description: 'Who owns which field; kept by the server.',
        items: { allOf: [ref('ManagedFieldsEntry')] },
        'x-kubernetes-list-type': 'atomic',
      },
    },
  },
  [`${metaPrefix}.ManagedFieldsEntry`]: {
    type: 'object',
    description: 'Fields that one manager owns.',
    properties: {
      manager: text,
      operation: text,
      apiVersion: text,
      time,
      fieldsType: text,
      fieldsV1: { allOf: [ref('FieldsV1')] },
      subresource: text,
    },
  },
  [`${metaPrefix}.FieldsV1`]: { type: 'object', description: 'A set of fields.' },
}

const groupVersionKind = ({ group, version, kind }: Kind): object => ({ group, version, kind })

const schemaName = (kind: Kind): string =>
  kind.group === ''
    ? `io.k8s.api.core.${kind.version}.${kind.kind}`
    : `${kind.group.split('.').reverse().join('.')}.${kind.version}.${kind.kind}`

/** core/v1 Event has its fields beside `metadata`, not under `spec`. */
const bodySchema = (kind: Kind): Schema => {
  const whole = objectSchema(kind)
  const properties = whole['properties'] as Record<string, Schema>
  const metadata = { allOf: [ref('ObjectMeta')] }
  if (kind.kind !== 'Event') return { ...whole, properties: { ...properties, metadata } }
  const { apiVersion, kind: kindField } = properties
  const fields = structuralSchema(kind.spec, kind.kind)['properties'] as Record<string, Schema>
  return {
    type: 'object',
    description: kind.description,
    properties: { apiVersion: apiVersion!, kind: kindField!, metadata, ...fields },
  }
}

const queryParameter = (name: string): object => ({
  name,
  in: 'query',
  schema: text,
  uniqueItems: true,
})

// The parameters stand inline: kubectl does not follow a $ref to them. Content types must not name
// strategic merge, or kubectl would send it.
const patchOperation = (kind: Kind): object => ({
  parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map(queryParameter),
  requestBody: {
    content: {
      'application/apply-patch+yaml': {},
      'application/json-patch+json': {},
      'application/merge-patch+json': {},
    },
  },
  responses: { '200': { description: 'OK' } },
  'x-kubernetes-action': 'patch',
  'x-kubernetes-group-version-kind': groupVersionKind(kind),
})

const pathOf = (kind: Kind): string => {
  const base = kind.group === '' ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`
  return `${base}${kind.namespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}/{name}`
}

const documentPath = (kind: Kind): string =>
  kind.group === '' ? `api/${kind.version}` : `apis/${apiVersionOf(kind)}`

/** `api/v1`, `apis/stagely.dev/v1alpha1` → its document. */
export const openApiDocuments = (version: string): Map<string, object> => {
  const served = kinds.filter((kind) => kind.internal !== true)
  const paths = [...new Set(served.map(documentPath))]
  return new Map(
    paths.map((path) => [
      path,
      documentOf(
        served.filter((kind) => documentPath(kind) === path),
        version,
      ),
    ]),
  )
}

const documentOf = (members: readonly Kind[], version: string): object => ({
  openapi: '3.0.0',
  info: { title: 'Stagely', version },
  paths: Object.fromEntries(members.map((kind) => [pathOf(kind), { patch: patchOperation(kind) }])),
  components: {
    schemas: {
      ...Object.fromEntries(
        members.map((kind) => [
          schemaName(kind),
          { ...bodySchema(kind), 'x-kubernetes-group-version-kind': [groupVersionKind(kind)] },
        ]),
      ),
      ...metaSchemas,
    },
  },
})
