// POST, PUT, PATCH and DELETE. Everything is decided inside the store's transaction, where nobody
// else writes: a patch reads, merges and stores without a race.
import type { Clock } from '../../../src/kernel/clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { minPatternBytes } from '../../../src/masking/patterns.ts'
import { applyMergePatch } from '../../../src/manifests/merge.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { apiVersionOf, type Kind } from '../../../src/resources/registry.ts'
import { valueBytes } from '../../../src/resources/secret-value.ts'
import { decodeObject, decodeStatus } from '../../../src/resources/validate.ts'
import type { Store, Transaction, WriteOptions } from '../../../src/store/store.ts'
import { actorOf, type AppContext } from '../env.ts'
import { answerList, answerObject, warn } from './answer.ts'
import { readDeleteOptions, readObject, readPatch, type Patch } from './body.ts'
import { fieldValidationOf, selectionOf, writeOptionsOf, type FieldValidation } from './params.ts'
import { jsonPatch, type Json } from './patch.ts'
import { getOrThrow, listSelected, refOfPath } from './read.ts'
import { conflict, deletedStatus, invalid } from './status.ts'
import { toWire, type Wire } from './wire-form.ts'

export interface WriteDeps {
  readonly store: Store
  readonly clock: Clock
}

type Handler = (c: AppContext) => Promise<Response>

const bad = (message: string): StagelyError => new StagelyError('BadRequest', message)

const metadataOf = (input: Wire): Wire => {
  const metadata = input['metadata']
  return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
    ? (metadata as Wire)
    : {}
}

/** What the body says it is must be what the path says; the path fills in what the body leaves out. */
const atPath = (c: AppContext, kind: Kind, input: Wire): Wire => {
  const apiVersion = apiVersionOf(kind)
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
  if (name !== undefined && metadata['name'] !== undefined && metadata['name'] !== name)
    throw bad('the name of the object does not match the name on the URL')
  return {
    ...input,
    metadata: {
      ...metadata,
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
    },
  }
}

const quoted = (fields: readonly string[]): string[] =>
  fields.map((field) => `unknown field ${JSON.stringify(field)}`)

const checkUnknown = (
  kind: Kind,
  unknown: readonly string[],
  validation: FieldValidation,
): void => {
  if (unknown.length === 0 || validation !== 'Strict') return
  throw bad(
    `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: strict decoding error: ${quoted(unknown).join(', ')}`,
  )
}

/** Decodes by schema: all faults at once; unknown fields refused, warned of, or dropped. */
const decode = (
  c: AppContext,
  kind: Kind,
  input: Wire,
  validation: FieldValidation,
): KubeObject => {
  const { object, faults, unknown } = decodeObject(input)
  checkUnknown(kind, unknown, validation)
  const name = metadataOf(input)['name']
  if (object === undefined) throw invalid(kind, typeof name === 'string' ? name : '', faults)
  if (validation === 'Warn') warn(c, quoted(unknown))
  if (kind.kind === 'StagelySecret') warnOfShortValue(c, object)
  return object
}

/** Whoever stores a value that the masker leaves alone must hear of it. */
const warnOfShortValue = (c: AppContext, object: KubeObject): void => {
  const length = valueBytes(object.spec ?? {})?.length ?? 0
  if (length === 0 || length >= minPatternBytes) return
  warn(c, [
    `spec.value: shorter than ${minPatternBytes} bytes, so it is not masked in what agents report`,
  ])
}

/** What a dry run answers: nothing was stored, so the version is the old one, and a new object has none. */
const asAnswered = (
  options: WriteOptions,
  object: KubeObject,
  versionBefore: string | undefined,
): KubeObject => {
  if (options.dryRun !== true) return object
  const { resourceVersion: _, ...metadata } = object.metadata
  return {
    ...object,
    metadata:
      versionBefore === undefined ? metadata : { ...metadata, resourceVersion: versionBefore },
  }
}

export const serveCreate =
  ({ store, clock }: WriteDeps, kind: Kind): Handler =>
  async (c) => {
    const validation = fieldValidationOf(c)
    const options = writeOptionsOf(c)
    const input = atPath(c, kind, await readObject(c))
    if ((metadataOf(input)['resourceVersion'] ?? '') !== '')
      throw bad('resourceVersion should not be set on objects to be created')
    const object = decode(c, kind, input, validation)
    const created = await store.write(actorOf(c), options, (tx) => tx.create(object))
    return answerObject(c, kind, asAnswered(options, created, undefined), { clock, code: 201 })
  }

export const serveReplace =
  ({ store, clock }: WriteDeps, kind: Kind): Handler =>
  async (c) => {
    const validation = fieldValidationOf(c)
    const options = writeOptionsOf(c)
    const input = atPath(c, kind, await readObject(c))
    requireVersion(kind, input)
    const object = decode(c, kind, input, validation)
    const updated = await store.write(actorOf(c), options, (tx) => tx.update(object))
    const answered = asAnswered(options, updated, object.metadata.resourceVersion)
    return answerObject(c, kind, answered, { clock })
  }

const requireVersion = (kind: Kind, input: Wire): void => {
  const { name, resourceVersion } = metadataOf(input)
  if (typeof resourceVersion === 'string' && resourceVersion !== '') return
  throw invalid(kind, typeof name === 'string' ? name : '', [
    {
      field: 'metadata.resourceVersion',
      reason: 'FieldValueInvalid',
      message: 'Invalid value: 0x0: must be specified for an update',
    },
  ])
}

const patched = (current: KubeObject, patch: Patch): Wire => {
  const wire = toWire(current)
  const result =
    patch.type === 'merge'
      ? applyMergePatch(wire, patch.content)
      : jsonPatch(wire as Json, patch.content as Json)
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw bad('the patch does not leave an object')
  return result as Wire
}

export const servePatch =
  ({ store, clock }: WriteDeps, kind: Kind): Handler =>
  async (c) => {
    const validation = fieldValidationOf(c)
    const options = writeOptionsOf(c)
    const patch = await readPatch(c)
    const updated = await store.write(actorOf(c), options, async (tx) => {
      const current = await getOrThrow(tx, kind, refOfPath(c, kind))
      const next = decode(c, kind, atPath(c, kind, patched(current, patch)), validation)
      return asAnswered(options, await tx.update(next), current.metadata.resourceVersion)
    })
    return answerObject(c, kind, updated, { clock })
  }

/** Only `status` counts; spec and labels in the body are dropped, as Kubernetes does. */
const writeStatus = async (
  c: AppContext,
  kind: Kind,
  {
    store,
    options,
    change,
  }: { store: Store; options: WriteOptions; change: (current: KubeObject) => Wire },
): Promise<KubeObject> => {
  const validation = fieldValidationOf(c)
  return store.write(actorOf(c), options, async (tx: Transaction) => {
    const current = await getOrThrow(tx, kind, refOfPath(c, kind))
    const input = change(current)
    const version = metadataOf(input)['resourceVersion'] ?? ''
    if (version !== '' && version !== current.metadata.resourceVersion)
      throw conflict(kind, current.metadata.name)
    const { value, faults, unknown } = decodeStatus(kind, input['status'])
    checkUnknown(kind, unknown, validation)
    if (value === undefined) throw invalid(kind, current.metadata.name, faults)
    if (validation === 'Warn') warn(c, quoted(unknown))
    const stored = await tx.setStatus({ ...current, status: value })
    return asAnswered(options, stored, current.metadata.resourceVersion)
  })
}

export const serveReplaceStatus =
  ({ store, clock }: WriteDeps, kind: Kind): Handler =>
  async (c) => {
    const options = writeOptionsOf(c)
    const input = atPath(c, kind, await readObject(c))
    requireVersion(kind, input)
    return answerObject(
      c,
      kind,
      await writeStatus(c, kind, { store, options, change: () => input }),
      { clock },
    )
  }

export const servePatchStatus =
  ({ store, clock }: WriteDeps, kind: Kind): Handler =>
  async (c) => {
    const options = writeOptionsOf(c)
    const patch = await readPatch(c)
    const change = (current: KubeObject): Wire => patched(current, patch)
    return answerObject(c, kind, await writeStatus(c, kind, { store, options, change }), { clock })
  }

export const serveDelete =
  ({ store, clock }: WriteDeps, kind: Kind): Handler =>
  async (c) => {
    const options = writeOptionsOf(c)
    const { preconditions, dryRun } = await readDeleteOptions(c)
    const ref = refOfPath(c, kind)
    const { object, gone } = await store.write(
      actorOf(c),
      { ...options, dryRun: dryRun || options.dryRun === true },
      (tx) => tx.remove(ref, preconditions),
    )
    if (!gone) return answerObject(c, kind, object, { clock })
    return c.json(deletedStatus(kind, ref.name, object.metadata.uid))
  }

/** All of the selection in one transaction; answers with what was deleted. */
export const serveDeleteCollection =
  ({ store, clock }: WriteDeps, kind: Kind): Handler =>
  async (c) => {
    const options = writeOptionsOf(c)
    const selection = selectionOf(c, kind)
    const { dryRun } = await readDeleteOptions(c)
    const list = await store.write(
      actorOf(c),
      { ...options, dryRun: dryRun || options.dryRun === true },
      async (tx) => {
        const { items, resourceVersion } = await listSelected(tx, kind, selection)
        const removed: KubeObject[] = []
        for (const { metadata } of items) {
          const ref = { kind: kind.kind, namespace: metadata.namespace ?? '', name: metadata.name }
          removed.push((await tx.remove(ref)).object)
        }
        return { items: removed, resourceVersion }
      },
    )
    return answerList(c, kind, list, clock)
  }
