// zod schemas → structural schemas → CustomResourceDefinitions. A keyword that this file does not know
// causes an error at generation, and is never dropped silently.
import * as z from 'zod'
import type { PrinterColumn } from '../columns.ts'
import { refersTo } from '../schema-parts.ts'
import { resourceNameOf } from '../kind-names.ts'
import type { Kind } from '../../resources/define-kind.ts'

export type Schema = Readonly<Record<string, unknown>>

/** Keywords that are copied. All others are translated below, or refused. */
const plainKeywords = new Set([
  'type',
  'description',
  'default',
  'enum',
  'format',
  'pattern',
  'required',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'minimum',
  'maximum',
  'nullable',
])
const kubernetesKeyword = /^x-kubernetes-/
/** True for the bounds that zod writes for z.int(): every JSON integer is within them. */
const isSafeInteger = (value: unknown): boolean =>
  value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER

/**
 * The structural form of one zod schema, as clients may send it. Throws for a schema that CRDs cannot
 * express.
 */
export const structuralSchema = (schema: z.ZodType, path: string): Schema =>
  structural(
    z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'throw' }),
    path,
  )

const structural = (input: unknown, path: string): Schema => {
  const node = input as Record<string, unknown>
  if (typeof node['type'] !== 'string')
    throw new Error(`${path}: a schema without one type cannot be a CRD`)
  const result: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(node)) {
    const translated = translate(keyword, value, path)
    if (translated !== undefined) result[keyword] = translated
  }
  if (result['type'] === 'integer') result['format'] ??= 'int64'
  return result
}

const translate = (keyword: string, value: unknown, path: string): unknown => {
  switch (keyword) {
    case 'minimum':
    case 'maximum':
      return isSafeInteger(value) ? undefined : value
    case refersTo: // see form-fields.ts
      return undefined
    case 'properties':
      return Object.fromEntries(
        Object.entries(value as object).map(([name, child]) => [
          name,
          structural(child, `${path}.${name}`),
        ]),
      )
    case 'items':
      return structural(value, `${path}[]`)
    case 'additionalProperties':
      // false comes from zod's strict objects; Kubernetes prunes or refuses unknown fields itself.
      return value === false ? undefined : structural(value, `${path}{}`)
    default:
      if (plainKeywords.has(keyword) || kubernetesKeyword.test(keyword)) return value
      throw new Error(`${path}: ${keyword} cannot be said in a CRD`)
  }
}

/** Schema of whole objects of the kind, without the content of `metadata`. */
export const objectSchema = (kind: Kind): Schema => {
  const spec = structuralSchema(kind.spec, `${kind.kind}.spec`)
  const required = Array.isArray(spec['required']) ? { required: ['spec'] } : {}
  return {
    type: 'object',
    description: kind.description,
    ...required,
    properties: {
      apiVersion: {
        type: 'string',
        description: 'Version of the schema that this object follows.',
      },
      kind: { type: 'string', description: 'What this object is.' },
      metadata: { type: 'object' },
      spec: { description: 'What should be.', ...spec },
      ...(kind.status !== undefined && {
        status: {
          description: 'What is, as observed.',
          ...structuralSchema(kind.status, `${kind.kind}.status`),
        },
      }),
    },
  }
}

const printerColumn = ({
  name,
  type,
  jsonPath,
  description,
  priority = 0,
}: PrinterColumn): object => ({
  name,
  type,
  jsonPath,
  description,
  ...(priority !== 0 && { priority }),
})

export const renderCrd = (kind: Kind): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: resourceNameOf(kind) },
  spec: {
    group: kind.group,
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    names: {
      kind: kind.kind,
      listKind: `${kind.kind}List`,
      plural: kind.plural,
      singular: kind.singular,
      ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
      ...(kind.categories.length > 0 && { categories: kind.categories }),
    },
    versions: [
      {
        name: kind.version,
        served: true,
        storage: true,
        ...(kind.status && { subresources: { status: {} } }),
        ...(kind.selectableFields !== undefined && {
          selectableFields: kind.selectableFields.map((path) => ({ jsonPath: `.${path}` })),
        }),
        additionalPrinterColumns: kind.columns.map(printerColumn),
        schema: { openAPIV3Schema: objectSchema(kind) },
      },
    ],
  },
})
