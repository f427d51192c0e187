// Server-side apply over HTTP: checks the request, and connects the merge of src/managed-fields to the
// store.
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import { isRecord } from '../../../../src/kernel/record.ts'
import { annotations, type KubeObject } from '../../../../src/resources/meta.ts'
import { apiVersionOf } from '../../../../src/resources/kind-names.ts'
import type { Kind } from '../../../../src/resources/define-kind.ts'
import { valueFields } from '../../../../src/kinds/secret/value.ts'
import { canonicalJson } from '../../../../src/kernel/canonical-json.ts'
import type { Transaction } from '../../../../src/store/store.ts'
import type { AppContext } from '../../env.ts'
import { atPath, bad, decode, metadataOf, type FieldCheck } from '../decode.ts'
import { invalidOption, isTrueParam } from '../params.ts'
import { refOfPath } from '../read.ts'
import { applyConfiguration } from '../../../../src/managed-fields/apply.ts'
import { compare, fieldSetOf, untypable } from '../../../../src/managed-fields/compare.ts'
import { setOfPaths, union, type FieldSet } from '../../../../src/managed-fields/field-set.ts'
import {
  parseManagers,
  renderManagers,
  type Manager,
} from '../../../../src/managed-fields/managers.ts'
import { shapeOfKind } from '../../../../src/managed-fields/shape.ts'
import { kubeConflict } from '../status.ts'
import { fieldManagerOf, ownedPart, whoOf, withKnownValue, type Subresource } from '../tracking.ts'
import { lifted, type Wire } from '../wire-form.ts'

const kubectl = 'kubectl'

/** A label or annotation without a value (`a:` in YAML, null) is the empty text, and is owned as such. */
const withTexts = (metadata: Wire): Wire => {
  const filled = ['labels', 'annotations'].flatMap((field) => {
    const given = metadata[field]
    if (!isRecord(given)) return []
    return [[field, Object.fromEntries(Object.entries(given).map(([k, v]) => [k, v ?? '']))]]
  })
  return { ...metadata, ...(Object.fromEntries(filled) as Wire) }
}

/** The configuration of an apply request, with all checks that need no stored object. */
export const readConfiguration = (c: AppContext, kind: Kind, content: unknown): Wire => {
  if (fieldManagerOf(c) === '')
    throw invalidOption(
      c,
      'fieldManager',
      'FieldValueRequired',
      'Required value: is required for apply patch',
    )
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw bad('the configuration must be an object')
  const { apiVersion = '', kind: given = '' } = content as Wire
  if (apiVersion === '' || given === '')
    throw bad(`invalid object type: ${String(apiVersion) || '/'}, Kind=${String(given)}`)
  const { managedFields, ...metadata } = metadataOf(content as Wire)
  if (managedFields !== undefined && managedFields !== null)
    throw bad('metadata.managedFields must be nil')
  const config = atPath(c, kind, { ...(content as Wire), metadata: withTexts(metadata) })
  const wrong = untypable(shapeOfKind(kind), config)
  if (wrong === undefined) return config
  const { namespace, name } = refOfPath(c, kind)
  throw bad(
    `failed to create typed patch object (${namespace}/${name}; ${apiVersionOf(kind)}, Kind=${kind.kind}): ${wrong}`,
  )
}

interface Merged {
  readonly part: Wire
  readonly managedFields: ReturnType<typeof renderManagers>
}

/** The manager of all fields that were written before the first apply. */
const beforeFirstApply = (kind: Kind, live: Wire): Manager[] => {
  const { added } = compare(shapeOfKind(kind), { metadata: {} }, live)
  const who = { manager: 'before-first-apply', apiVersion: apiVersionOf(kind), subresource: '' }
  return [{ ...who, operation: 'Update', time: undefined, fields: added }]
}

/**
 * Merges one part (spec or status) of the configuration into the object. Conflict as in
 * src/managed-fields.
 */
export const mergeConfiguration = (
  c: AppContext,
  kind: Kind,
  {
    current,
    config,
    subresource,
    now,
  }: {
    current: KubeObject
    config: Wire
    subresource: Subresource
    now: number
  },
): Merged => {
  const live = ownedPart(lifted(current), subresource)
  const managersNow = parseManagers(current.metadata.managedFields) ?? []
  const first = subresource === '' && managersNow.every((m) => m.subresource !== '')
  const who = whoOf(c, kind, subresource)
  const { object, managers } = applyConfiguration({
    shape: shapeOfKind(kind),
    managers: first ? [...managersNow, ...beforeFirstApply(kind, live)] : managersNow,
    who,
    live,
    config: ownedPart(config, subresource),
    force: isTrueParam(c.req.query('force')),
    now: toTimestamp(now),
    ...(who.manager === kubectl && { allowed: appliedByClient(kind, current) }),
  })
  return { part: object as Wire, managedFields: renderManagers(managers) }
}

const lastAppliedOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.annotations?.[annotations.lastApplied]

/**
 * `kubectl apply --server-side` takes over the fields of an earlier `kubectl apply`, which the
 * annotation lists. The annotation never holds a secret's value, although the value was applied too.
 */
const appliedByClient = (kind: Kind, current: KubeObject): FieldSet => {
  const text = lastAppliedOf(current)
  if (text === undefined) return setOfPaths([])
  const values = valueFields.map((field) => ['f:spec', `f:${field}`])
  const hidden = setOfPaths(kind.kind === 'StagelySecret' ? values : [])
  try {
    const applied = JSON.parse(text) as Wire
    return union(fieldSetOf(shapeOfKind(kind), ownedPart(applied, '')), hidden)
  } catch {
    return setOfPaths([])
  }
}

/** kubectl's annotation is updated by its server-side applies, so that a later client-side apply works. */
const withLastApplied = (manager: string, object: KubeObject, config: Wire): KubeObject => {
  if (manager !== kubectl || lastAppliedOf(object) === undefined) return object
  const metadata = metadataOf(config)
  const { [annotations.lastApplied]: _, ...others } = (metadata['annotations'] ?? {}) as Wire
  const kept = Object.keys(others).length === 0 ? {} : { annotations: others }
  const { annotations: __, ...rest } = metadata
  const text = `${canonicalJson({ ...config, metadata: { ...rest, ...kept } })}\n`
  const notes = { ...object.metadata.annotations, [annotations.lastApplied]: text }
  return { ...object, metadata: { ...object.metadata, annotations: notes } }
}

/** The new object, from the stored one and the merged part. */
const assemble = (current: KubeObject, config: Wire, part: Wire): Wire => {
  const {
    labels: _,
    annotations: __,
    finalizers: ___,
    ownerReferences: ____,
    ...fixed
  } = current.metadata
  const { uid = fixed.uid, resourceVersion = fixed.resourceVersion } = metadataOf(config)
  const { apiVersion, kind } = current
  const metadata = { ...fixed, uid, resourceVersion, ...metadataOf(part) }
  return { ...part, apiVersion, kind, metadata }
}

interface ApplyRequest {
  readonly tx: Transaction
  readonly config: Wire
  readonly check: FieldCheck
  readonly now: number
}

interface ApplyResult {
  readonly object: KubeObject
  readonly before: KubeObject | undefined
  readonly created: boolean
}

/** Creates or changes the object inside the caller's transaction. */
export const serveApply = async (
  c: AppContext,
  kind: Kind,
  request: ApplyRequest,
): Promise<ApplyResult> => {
  const { tx, config, check, now } = request
  const current = await tx.get(refOfPath(c, kind))
  if (current === undefined) return createApplied(c, kind, request)
  const given = { ...current, spec: (config['spec'] ?? {}) as Wire }
  const before = await withKnownValue(tx, current, given)
  const merged = mergeConfiguration(c, kind, { current: before, config, subresource: '', now })
  const input = assemble(current, config, merged.part)
  const next = withLastApplied(fieldManagerOf(c), decode(c, kind, input, check), config)
  const object = await tx.update(next, { managedFields: merged.managedFields })
  return { object, before: current, created: false }
}

const createApplied = async (
  c: AppContext,
  kind: Kind,
  { tx, config, check, now }: ApplyRequest,
): Promise<ApplyResult> => {
  const { name, uid = '', resourceVersion = '' } = metadataOf(config)
  // A uid or resourceVersion means that the client expects an existing object.
  if (uid !== '' || resourceVersion !== '') throw kubeConflict(kind, String(name))
  const next = decode(c, kind, config, check)
  const managedFields = renderManagers([
    {
      ...whoOf(c, kind, ''),
      operation: 'Apply',
      time: toTimestamp(now),
      fields: fieldSetOf(shapeOfKind(kind), ownedPart(config, '')),
    },
  ])
  const object = await tx.create(next, { managedFields })
  return { object, before: undefined, created: true }
}
