// ChangeSetReview: what a set of objects would change, and which services would get a new container.
// Create-only, like SelfSubjectAccessReview. It is a dry run on a copy, so that it delays no writer.
// Stores nothing, and answers with names only.
import { append } from '../../../src/kernel/append.ts'
import { isBelowProject } from '../../../src/access/place.ts'
import { allows, teamsWhere, type Principal } from '../../../src/access/principal.ts'
import { faultsOf, maxFaults, StagelyError } from '../../../src/kernel/errors.ts'
import { mapYielding } from '../../../src/kernel/async/map-yielding.ts'
import { isRecord, hasMoreValues } from '../../../src/kernel/record.ts'
import type { ReviewFault, ReviewStatus } from '../../../src/manifests/review.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { apiVersion, refOf } from '../../../src/resources/meta.ts'
import { byApplyOrder, kinds, requireKind } from '../../../src/kinds/index.ts'
import { decodeObject } from '../../../src/kinds/decode.ts'
import type { Actor, Store } from '../../../src/store/store.ts'
import { applyManifest, type AppliedManifest } from '../../sources/apply-object.ts'
import { impactOf } from '../../impact/impact.ts'
import { readNamespaces, type Situation } from '../../impact/situation.ts'
import { changeOf } from '../../manifests/change-of.ts'
import { writeAllPossible } from '../../sources/write-all-possible.ts'
import type { DeniedLog } from '../denied.ts'
import { actorOf, type AppContext } from '../env.ts'
import { noteDenied } from '../note-denied.ts'
import { requestBytes } from '../work-budget.ts'
import { maxValues, parseKubeJson, readBytes, workOver } from './body.ts'
import { kubeForbidden, rightOf, type KubeRoute } from './route.ts'
import { rightsOf } from '../../../src/store/core/actor.ts'

/** A review holds a whole folder of manifests: more than the 3 MiB of one object. */
const maxReviewBytes = 8 * 1024 * 1024
const maxReviewValues = 400_000
const maxObjects = 2_000
const longestMs = 30_000
const decodedInOneTurn = 10

export interface ReviewDeps {
  readonly store: Store
  readonly denied: DeniedLog
}

const reviewSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: { objects: { type: 'array', items: { type: 'object' } } },
    },
    status: { type: 'object' },
  },
}

/**
 * Open to everybody who may write any object. A missing right to one of the objects is a fault of that
 * object.
 */
export const reviewRoutes = ({ store, denied }: ReviewDeps): KubeRoute[] => [
  {
    method: 'POST',
    path: '/apis/stagely.dev/v1alpha1/namespaces/:namespace/changesetreviews',
    access: { kind: requireKind('Project'), verb: 'list', in: 'own' },
    describes: {
      id: 'createStagelyDevV1alpha1NamespacedChangeSetReview',
      summary: 'Ask what a set of objects would change, and which services would start anew.',
      body: reviewSchema,
      status: 201,
      answer: reviewSchema,
    },
    handle: async (c) => {
      checkMayWrite(c.get('user'), c.req.param('namespace'))
      const bytes = await readBytes(c, maxReviewBytes)
      const objects = objectsOf(await workOver(bytes, () => parseKubeJson(bytes, maxReviewValues)))
      c.get('work').charge(c.get('user').id, objects.length * requestBytes)
      let refused: StagelyError | undefined
      const status = await reviewChangeSet(store, actorOf(c), {
        signal: reviewSignal(c),
        namespace: c.req.param('namespace') ?? '',
        objects,
        refusal: (object) => {
          const error = refusalOf(c.get('user'), object)
          refused ??= error
          return error?.message
        },
      })
      if (refused !== undefined) await noteDenied(c, refused, denied)
      // Without the spec, which may hold values.
      return c.json({ apiVersion, kind: 'ChangeSetReview', metadata: {}, status }, 201)
    },
  },
]

/** Forbidden for a caller without any right to write; the body is not even read. */
const checkMayWrite = (user: Principal, namespace: string | undefined): void => {
  const mayPatch = kinds.some((kind) => {
    if (kind.internal === true) return false
    const teams = teamsWhere(user, 'patch', rightOf(kind))
    return teams === undefined || teams.length > 0
  })
  if (!mayPatch)
    throw kubeForbidden(user.name, { kind: requireKind('Project'), verb: 'patch' }, { namespace })
}

/** As for every dry run, the caller needs the right to the write itself. */
const refusalOf = (
  user: Principal,
  { kind: name, metadata }: KubeObject,
): StagelyError | undefined => {
  const kind = requireKind(name)
  const namespace = kind.namespaced ? metadata.namespace : metadata.name
  if (allows(user, { verb: 'patch', resource: rightOf(kind), namespace })) return undefined
  return kubeForbidden(user.name, { kind, verb: 'patch' }, { namespace, name: metadata.name })
}

const objectsOf = (body: unknown): unknown[] => {
  const { kind, spec } = (body ?? {}) as { kind?: unknown; spec?: { objects?: unknown } }
  if (kind !== 'ChangeSetReview' || !Array.isArray(spec?.objects)) {
    throw new StagelyError('BadRequest', 'expected a ChangeSetReview with spec.objects')
  }
  if (spec.objects.length > maxObjects) {
    const message = `a review may hold ${maxObjects} objects: review part of them at a time`
    throw new StagelyError('RequestEntityTooLarge', message)
  }
  return spec.objects as unknown[]
}

interface Item {
  readonly index: number
  readonly object: KubeObject
}

interface ReviewInput {
  /** Namespace of objects that have none. */
  readonly namespace: string
  readonly objects: readonly unknown[]
  /** Why the caller may not write this object; undefined: he may. */
  readonly refusal?: (object: KubeObject) => string | undefined
  /** Ends the review. */
  readonly signal: AbortSignal
}

/** Never throws because of a fault of an object. */
export const reviewChangeSet = async (
  store: Store,
  actor: Actor,
  input: ReviewInput,
): Promise<ReviewStatus> => {
  const faults: ReviewFault[] = []
  const decoded = await mapYielding(
    input.objects,
    (object, index) => decodeItem(object, index, input, faults),
    decodedInOneTurn,
  )
  const items = decoded.flat()
  items.sort((a, b) => byApplyOrder(a.object, b.object))
  let before: Situation | undefined
  let after: Situation | undefined
  const written = items.map(({ object }) => object)
  const { results, refused } = await writeAllPossible<Item, AppliedManifest>(store, {
    actor,
    options: { dryRun: true, review: { signal: input.signal } },
    items,
    refOf: ({ object }) => refOf(object),
    before: async (tx) => {
      before = await readNamespaces(tx, written)
    },
    each: (tx, { object }) => applyManifest(tx, object),
    after: async (tx) => {
      after = await readNamespaces(tx, written)
    },
  })
  for (const [{ index }, error] of refused)
    append(
      faults,
      faultsOf(error).map((fault) => ({ index, ...fault })),
    )
  faults.sort((a, b) => a.index - b.index)
  if (before === undefined || after === undefined)
    return { faults, changes: [], affected: [], cascaded: [], held: [], widened: [] }
  const changes = [...results]
    .map(([{ index }, applied]) => changeOf(index, applied, before!, after!))
    .sort((a, b) => a.index - b.index)
  const { affected, cascaded, held, widened } = await impactOf(before, after)
  return {
    faults,
    changes,
    affected: affected.map(withoutUid),
    cascaded: cascaded.map(withoutUid),
    held: held.map(withoutUid),
    // Where a key was before may be a place that the writer does not see.
    widened: written.some((object) => isPart(actor, object)) ? [] : widened,
  }
}

const isPart = (actor: Actor, object: KubeObject): boolean => {
  const narrowing = rightsOf(actor).narrowingIn(refOf(object).namespace)
  return narrowing !== undefined && isBelowProject(narrowing)
}

const withoutUid = <T extends { uid: string }>({ uid: _, ...rest }: T): Omit<T, 'uid'> => rest

/** Aborts when the client disconnects, or when the review takes too long. */
const reviewSignal = (c: AppContext): AbortSignal => {
  const ending = new AbortController()
  const late = setTimeout(() => {
    const message = `the review took longer than ${longestMs / 1000} s: the controller is busy; try again, and if it goes on, apply the files one by one`
    ending.abort(new StagelyError('Timeout', message))
  }, longestMs)
  c.env.outgoing.once('close', () => {
    clearTimeout(late)
    ending.abort(new StagelyError('Timeout', 'the client has left'))
  })
  return ending.signal
}

/** An object that the caller may not write is not examined further, and the answer tells nothing about it. */
const decodeItem = (
  input: unknown,
  index: number,
  { namespace, refusal }: ReviewInput,
  faults: ReviewFault[],
): Item[] => {
  if (faults.length >= maxFaults) return []
  // The manifest without defaults: only what is written in it counts as applied.
  const object = withNamespace(input, namespace)
  const refused = hasMoreValues(input, maxValues)
    ? `holds more than ${maxValues} values`
    : isNamed(object)
      ? refusal?.(object)
      : undefined
  if (refused !== undefined) {
    faults.push({ index, field: '', message: refused })
    return []
  }
  const { object: decoded, faults: wrong, unknown } = decodeObject(object)
  append(
    faults,
    wrong.map(({ field, message }) => ({ index, field, message })),
  )
  append(
    faults,
    unknown.map((field) => ({ index, field, message: 'unknown field' })),
  )
  return decoded === undefined ? [] : [{ index, object: object as KubeObject }]
}

const isNamed = (input: unknown): input is KubeObject =>
  isRecord(input) &&
  isRecord(input.metadata) &&
  kinds.some(({ kind, internal }) => kind === input.kind && internal !== true)

const withNamespace = (input: unknown, namespace: string): unknown => {
  const object = input as Partial<KubeObject> | null
  const kind = kinds.find((k) => k.kind === object?.kind)
  if (kind?.namespaced !== true || !isRecord(object?.metadata)) return input
  return {
    ...object,
    metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace },
  }
}
