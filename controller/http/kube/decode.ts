// Decodes the body of a write to an object of the path's kind: path, schema and field validation must
// match.
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import { apiVersionOf } from '../../../src/resources/kind-names.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import { statusOf } from '../../../src/kinds/typed.ts'
import { decodeObject, decodeStatus } from '../../../src/kinds/decode.ts'
import type { Store, WriteOptions } from '../../../src/store/store.ts'
import { storeOf, type AppContext } from '../env.ts'
import {
  adviceOfAddress,
  adviceOfPlace,
  adviceOfRefs,
  adviceOfValue,
  type Advice,
} from '../warnings.ts'
import { warn } from './answer.ts'
import type { Body, Patch } from './body.ts'
import { fieldValidationOf, type FieldValidation } from './params.ts'
import { kubeInvalid } from './status.ts'
import type { Wire } from './wire-form.ts'

export const bad = (message: string): StagelyError => new StagelyError('BadRequest', message)

export const metadataOf = (input: Wire): Wire => {
  const metadata = input['metadata']
  return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
    ? (metadata as Wire)
    : {}
}

/** Adds kind and apiVersion to core/v1 objects, as Kubernetes does. Objects of CRDs must name them. */
const withKind = (kind: Kind, input: Wire): Wire => {
  if (kind.group !== '') return input
  const { kind: name, apiVersion } = input
  return { ...input, kind: name || kind.kind, apiVersion: apiVersion || apiVersionOf(kind) }
}

/** Checks that the body matches the path, and fills in missing names from the path. */
export const atPath = (c: AppContext, kind: Kind, body: Wire): Wire => {
  const apiVersion = apiVersionOf(kind)
  const input = withKind(kind, body)
  if (input['kind'] === undefined || input['kind'] === '')
    throw bad(`Object 'Kind' is missing in the request body`)
  if (input['kind'] !== kind.kind || input['apiVersion'] !== apiVersion)
    throw bad(
      `the object in the body is not a ${kind.kind} of ${apiVersion}, which this path serves`,
    )
  const metadata = metadataOf(input)
  const namespace = c.req.param('namespace')
  const given = metadata['namespace']
  if (namespace !== undefined && given !== undefined && given !== '' && given !== namespace)
    throw bad(
      'the namespace of the provided object does not match the namespace sent on the request',
    )
  const name = c.req.param('name')
  if (c.req.method === 'PUT' && (metadata['name'] ?? '') === '')
    throw bad(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    )
  const givenName = metadata['name'] ?? name
  if (name !== undefined && givenName !== name) {
    const shown = typeof givenName === 'string' ? givenName : typeof givenName
    throw bad(`the name of the object (${shown}) does not match the name on the URL (${name})`)
  }
  return {
    ...input,
    metadata: {
      ...metadata,
      ...defined({ namespace, name }),
    },
  }
}

/** The requested field validation, and the duplicate fields of the body. */
export interface FieldCheck {
  readonly validation: FieldValidation
  readonly duplicates: readonly string[]
  /** True when the request is a merge or JSON patch. */
  readonly patches: boolean
}

export const fieldCheckOf = (c: AppContext, body: Body | Patch): FieldCheck => ({
  validation: fieldValidationOf(c),
  duplicates: body.duplicates,
  patches: 'type' in body && body.type !== 'apply',
})

/** Handles unknown and duplicate fields: refuses them, warns, or ignores them. */
export const checkFields = (
  c: AppContext,
  kind: Kind,
  unknown: readonly string[],
  { validation, duplicates, patches }: FieldCheck,
): void => {
  if (validation === 'Ignore') return
  const found = [
    ...duplicates.map((field) => `duplicate field ${JSON.stringify(field)}`),
    ...unknown.map((field) => `unknown field ${JSON.stringify(field)}`),
  ]
  if (validation === 'Warn') warn(c, found)
  else if (found.length > 0) throw refused(c, kind, { found, patches })
}

/** For a patch Invalid, after which `kubectl edit` opens the editor again; after BadRequest it gives up. */
const refused = (
  c: AppContext,
  kind: Kind,
  { found, patches }: { found: readonly string[]; patches: boolean },
): StagelyError => {
  const message = `strict decoding error: ${found.join(', ')}`
  return patches
    ? kubeInvalid(kind, c.req.param('name') ?? '', [
        { field: 'patch', reason: 'FieldValueInvalid', message },
      ])
    : bad(
        `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${message}`,
      )
}

/** Decodes by schema, with all faults at once. Unknown fields: see checkFields(). */
export const decode = (c: AppContext, kind: Kind, input: Wire, check: FieldCheck): KubeObject => {
  const { object, faults, unknown } = decodeObject(input)
  // The status is not stored here, but unknown fields in it are reported.
  const status = input['status'] === undefined ? [] : decodeStatus(kind, input['status']).unknown
  checkFields(c, kind, [...unknown, ...status], check)
  const name = metadataOf(input)['name']
  if (object === undefined) throw kubeInvalid(kind, typeof name === 'string' ? name : '', faults)
  if (kind.kind === 'StagelySecret') warnOf(c, adviceOfValue(object.spec ?? {}))
  return object
}

const warnOf = (c: AppContext, advice: readonly Advice[]): void =>
  warn(
    c,
    advice.map(({ field, message }) => `${field}: ${message}`),
  )

const ownersMessage =
  'metadata.ownerReferences: kept, but nothing is deleted with its owner here: delete it yourself'

/** Who could not approve, hear of an emergency, or read any more. */
const policyWarnings = (policy: KubeObject): string[] => {
  const { conditions = [], machinesWithout = [] } = statusOf('AccessPolicy', policy)
  const failing = conditions.filter(({ status }) => status === 'False')
  const lost = `spec.machines: these tokens read no value here any more: ${machinesWithout.join(', ')}`
  return [
    ...failing.map(({ type, message }) => `${type}: ${message}`),
    ...(machinesWithout.length > 0 ? [lost] : []),
  ]
}

/** Warnings after a write: about the object's references, a secret's place, and what a policy means for people. */
export const warnOfPlace = async (
  c: AppContext,
  all: Store,
  after: KubeObject,
  before: KubeObject | undefined,
): Promise<void> => {
  const store = storeOf(c, all)
  const { ownerReferences: owners = [] } = after.metadata
  if (owners.length > 0 && !sameJson(owners, before?.metadata.ownerReferences))
    warn(c, [ownersMessage])
  if (after.kind === 'StagelySecret') warnOf(c, await adviceOfPlace(store, after, before))
  if (after.kind === 'Stagelet') warnOf(c, await adviceOfRefs(store, after, before))
  if (after.kind === 'Notifier') warnOf(c, adviceOfAddress(after))
  if (after.kind === 'AccessPolicy' && !sameJson(after.spec, before?.spec))
    warn(c, policyWarnings(after))
}

const versionOfValue = ({ status }: KubeObject): unknown => status?.['version']

/**
 * The answer to a dry run. Nothing was stored: the version is the old one, and a new object has none. A value is not
 * shown, so that an annotation says that it changes: Flux applies an object only where metadata or spec of the answer differ.
 */
export const asAnswered = (
  options: WriteOptions,
  object: KubeObject,
  before: KubeObject | undefined,
): KubeObject => {
  if (options.dryRun !== true) return object
  const { resourceVersion: _, ...metadata } = object.metadata
  if (before === undefined) return { ...object, metadata }
  const isNewValue =
    object.kind === 'StagelySecret' && versionOfValue(object) !== versionOfValue(before)
  const told = isNewValue && {
    annotations: { ...metadata.annotations, [annotations.valueChanges]: 'true' },
  }
  const { resourceVersion } = before.metadata
  return { ...object, metadata: { ...metadata, ...told, ...defined({ resourceVersion }) } }
}

export const requireVersion = (kind: Kind, input: Wire): void => {
  const { name, resourceVersion } = metadataOf(input)
  if (typeof resourceVersion === 'string' && resourceVersion !== '') return
  throw kubeInvalid(kind, typeof name === 'string' ? name : '', [
    {
      field: 'metadata.resourceVersion',
      reason: 'FieldValueInvalid',
      message: 'Invalid value: 0x0: must be specified for an update',
    },
  ])
}
