// POST, PUT, PATCH and DELETE. Each one runs inside a transaction of the store, in which nobody else
// writes: a patch reads, merges and stores without a race.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { applyMergePatch } from '../../../src/manifests/merge.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import { leftByRotation } from '../../../src/kinds/rotation/left.ts'
import { specOf, statusOf } from '../../../src/kinds/typed.ts'
import type { Schema } from '../../../src/resources/schemas/crd.ts'
import { objectMetaSchema } from '../../../src/resources/schemas/openapi-meta.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { Store, StoredObject, Transaction } from '../../../src/store/store.ts'
import { actorOf, type AppContext } from '../env.ts'
import { checkUnused } from '../in-use.ts'
import { answerList, answerObject, asStored, warn } from './answer.ts'
import { serveApply, readConfiguration } from './patches/apply.ts'
import { readObject, readPatch, type Patch } from './body.ts'
import {
  asAnswered,
  atPath,
  bad,
  decode,
  fieldCheckOf,
  metadataOf,
  requireVersion,
  warnOfPlace,
} from './decode.ts'
import { readDeleteOptions } from './delete-options.ts'
import { checkPatchRight } from './deploy-right.ts'
import { parseContinue, renderContinue, type ListPosition } from './continue-token.ts'
import { limitOf, listPositionOf } from './list.ts'
import { invalidOption, listSelectionOf, selects, writeOptionsOf } from './params.ts'
import { jsonPatch, type JsonDocument } from './patches/patch.ts'
import { getOrThrow, refOfPath } from './read.ts'
import { deletedStatus } from './status.ts'
import { applyStrategicPatch } from './patches/strategic-merge.ts'
import { managedAfterUpdate, whoOf, withKnownValue, type TrackedChange } from './tracking.ts'
import { toWire, type Wire } from './wire-form.ts'

export interface KubeWriteDeps {
  readonly store: Store
  readonly clock: Clock
}

export type Handler = (c: AppContext) => Promise<Response>

export const serveCreate =
  ({ store, clock }: KubeWriteDeps, kind: Kind): Handler =>
  async (c) => {
    const options = writeOptionsOf(c)
    const who = whoOf(c, kind, '')
    const body = await readObject(c)
    const input = atPath(c, kind, body.content)
    if ((metadataOf(input)['resourceVersion'] ?? '') !== '')
      throw bad('resourceVersion should not be set on objects to be created')
    const object = decode(c, kind, input, fieldCheckOf(c, body))
    const change = { who, before: undefined, after: object, now: toTimestamp(clock.now()) }
    const managedFields = managedAfterUpdate(kind, change)
    const created = await store.write(actorOf(c), options, (tx) =>
      tx.create(object, { managedFields }),
    )
    await warnOfPlace(c, store, created, undefined)
    return answerObject(c, kind, asAnswered(options, created, undefined), { clock, code: 201 })
  }

/** Stores `next` in place of `current`, with updated owners. */
const replaceObject = async (
  tx: Transaction,
  kind: Kind,
  change: TrackedChange & { before: KubeObject },
): Promise<KubeObject> => {
  const before = await withKnownValue(tx, change.before, change.after)
  const managedFields = managedAfterUpdate(kind, { ...change, before })
  return tx.update(change.after, { managedFields })
}

export const serveReplace =
  ({ store, clock }: KubeWriteDeps, kind: Kind): Handler =>
  async (c) => {
    const options = writeOptionsOf(c)
    const who = whoOf(c, kind, '')
    const body = await readObject(c)
    const input = atPath(c, kind, body.content)
    const after = decode(c, kind, input, fieldCheckOf(c, body))
    const requested = metadataOf(input)['managedFields']
    const now = toTimestamp(clock.now())
    const ref = refOfPath(c, kind)
    const { updated, before } = await store.write(actorOf(c), options, async (tx) => {
      const before = await getOrThrow(tx, kind, ref)
      requireVersion(kind, input)
      return {
        updated: await replaceObject(tx, kind, { who, before, after, requested, now }),
        before,
      }
    })
    await warnOfPlace(c, store, updated, before)
    return answerObject(c, kind, asAnswered(options, updated, before), { clock })
  }

/** All lists that a strategic merge patch merges are in `metadata`. */
const mergedLists: Schema = { properties: { metadata: objectMetaSchema } }

const merged = (wire: Wire, { type, content }: Patch): unknown => {
  if (type === 'json') return jsonPatch(wire as JsonDocument, content as JsonDocument)
  return type === 'strategic'
    ? applyStrategicPatch(wire, content, mergedLists)
    : applyMergePatch(wire, content)
}

/** The object in the form for clients, with the patch applied. */
export const patched = (current: KubeObject, patch: Patch): Wire => {
  const wire = toWire(current)
  const result = merged(wire, patch)
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw bad('the patch does not leave an object')
  return result as Wire
}

export const checkPatchOptions = (c: AppContext, { type }: Patch): void => {
  if (type !== 'apply' && c.req.query('force') !== undefined)
    throw invalidOption(
      c,
      'force',
      'FieldValueForbidden',
      'Forbidden: may not be specified for non-apply patch',
    )
}

export const servePatch =
  (deps: KubeWriteDeps, kind: Kind): Handler =>
  async (c) => {
    const patch = await readPatch(c, kind)
    checkPatchOptions(c, patch)
    if (patch.type === 'apply') checkPatchRight(c, kind)
    return patch.type === 'apply'
      ? answerApply(c, kind, deps, patch)
      : answerPatch(c, kind, deps, patch)
  }

const answerApply = async (
  c: AppContext,
  kind: Kind,
  { store, clock }: KubeWriteDeps,
  patch: Patch,
): Promise<Response> => {
  const options = writeOptionsOf(c)
  const config = readConfiguration(c, kind, patch.content)
  const check = fieldCheckOf(c, patch)
  const now = clock.now()
  const { object, before, created } = await store.write(actorOf(c), options, (tx) =>
    serveApply(c, kind, { tx, config, check, now }),
  )
  await warnOfPlace(c, store, object, before)
  const answered = asAnswered(options, object, before)
  return answerObject(c, kind, answered, { clock, code: created ? 201 : 200 })
}

const answerPatch = async (
  c: AppContext,
  kind: Kind,
  { store, clock }: KubeWriteDeps,
  patch: Patch,
): Promise<Response> => {
  const check = fieldCheckOf(c, patch)
  const options = writeOptionsOf(c)
  const who = whoOf(c, kind, '')
  const now = toTimestamp(clock.now())
  const ref = refOfPath(c, kind)
  const { updated, before } = await store.write(actorOf(c), options, async (tx) => {
    const before = await getOrThrow(tx, kind, ref)
    const input = atPath(c, kind, patched(before, patch))
    checkPatchRight(c, kind, { before: toWire(before), after: input })
    const after = decode(c, kind, input, check)
    const requested = metadataOf(input)['managedFields']
    const object = await replaceObject(tx, kind, { who, before, after, requested, now })
    return { updated: asAnswered(options, object, before), before }
  })
  await warnOfPlace(c, store, updated, before)
  return answerObject(c, kind, updated, { clock })
}

export const serveDelete =
  ({ store, clock }: KubeWriteDeps, kind: Kind): Handler =>
  async (c) => {
    const options = writeOptionsOf(c)
    const { preconditions, dryRun, foreground } = await readDeleteOptions(c)
    const ref = refOfPath(c, kind)
    const isTeam = ref.kind === 'Namespace' && ref.name !== 'default' && !foreground
    const { object, gone } = await store.write(
      actorOf(c),
      { ...options, dryRun: dryRun || options.dryRun === true },
      async (tx) => {
        if (isTeam) await checkUnused(tx, ref)
        return tx.remove(ref, preconditions)
      },
    )
    if (object.kind === 'Rotation')
      warn(c, [leftByRotation(ref.name, specOf('Rotation', object), statusOf('Rotation', object))])
    if (!gone) return answerObject(c, kind, object, { clock })
    return c.json(deletedStatus(kind, ref.name, object.metadata.uid))
  }

const isAfter = (place: ListPosition, after: ListPosition): boolean =>
  place.namespace === after.namespace ? place.name > after.name : place.namespace > after.namespace

/**
 * Deletes all selected objects, or up to `limit` of them, in one transaction. Answers with the deleted
 * objects, and with a token for the rest.
 */
export const serveDeleteCollection =
  ({ store, clock }: KubeWriteDeps, kind: Kind): Handler =>
  async (c) => {
    const options = writeOptionsOf(c)
    const selection = listSelectionOf(c, kind)
    const limit = limitOf(c)
    const token = c.req.query('continue') ?? ''
    const after = token === '' ? undefined : parseContinue(token).after
    const { preconditions, dryRun } = await readDeleteOptions(c)
    const list = await store.write(
      actorOf(c),
      { ...options, dryRun: dryRun || options.dryRun === true },
      async (tx) => {
        const { namespace, within } = selection
        const { items, resourceVersion } = await tx.list(kind.kind, { namespace, within })
        const selected = items
          .filter((object) => selects(selection, { object }))
          .filter((object) => after === undefined || isAfter(listPositionOf({ object }), after))
        const removed: StoredObject[] = []
        for (const object of selected.slice(0, limit))
          removed.push(asStored((await tx.remove(refOf(object), preconditions)).object))
        const last = removed.at(-1)
        const done = removed.length === selected.length || last === undefined
        const next = done
          ? {}
          : { continue: renderContinue({ at: undefined, after: listPositionOf(last) }) }
        return { items: removed, resourceVersion, ...next }
      },
    )
    return answerList(c, kind, list, clock)
  }
