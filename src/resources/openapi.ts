// The OpenAPI v3 documents that kubectl needs for apply, create, replace and explain.
import { objectSchema, structuralSchema, type Schema } from './crd.ts'
import { metaSchemas, refTo } from './openapi-meta.ts'
import { apiVersionOf, kinds, type Kind } from './registry.ts'

const groupVersionKind = ({ group, version, kind }: Kind): object => ({ group, version, kind })

const schemaName = (kind: Kind): string =>
  kind.group === ''
    ? `io.k8s.api.core.${kind.version}.${kind.kind}`
    : `${kind.group.split('.').reverse().join('.')}.${kind.version}.${kind.kind}`

/** core/v1 Event has its fields beside `metadata`, not under `spec`. */
const bodySchema = (kind: Kind): Schema => {
  const whole = objectSchema(kind)
  const properties = whole['properties'] as Record<string, Schema>
  const metadata = {
    description: 'Name, labels and what the server keeps of the object.',
    allOf: [refTo('ObjectMeta')],
  }
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
  schema: { type: 'string' },
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
