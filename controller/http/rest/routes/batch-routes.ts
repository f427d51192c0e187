// Many changes of one project's secrets at once: one transaction, one change set, one revision.
import * as z from 'zod'
import { append } from '../../../../src/kernel/append.ts'
import { limits } from '../../../../src/resources/limits.ts'
import { StagelyError, type Fault, type Reason } from '../../../../src/kernel/errors.ts'
import { nextTurn } from '../../../../src/kernel/async/event-loop.ts'
import { refOf, type KubeObject } from '../../../../src/resources/meta.ts'
import type { SecretInput } from '../../../../src/kinds/secret/rest-fields.ts'
import { diffSets, type SetDiff } from '../../../../src/store/core/set-diff.ts'
import type { Transaction } from '../../../../src/store/store.ts'
import type { RestDeps } from '../deps.ts'
import { idOf } from '../ids.ts'
import { invalidInput } from '../input.ts'
import { changeFields, changeSecrets, changeShape } from '../changes.ts'
import { requireTarget, route, routesOf } from '../route.ts'
import { secretSchema, toSecret } from '../secret-kind.ts'
import { secretCreateShape, secretUpdateShape } from '../secret-fields.ts'
import {
  createSecret,
  deleteSecret,
  findSecret,
  inRequestNames,
  updateSecret,
  warningHeader,
  warningsOfBatch,
  type Written,
} from '../secrets.ts'
import { mostStagelets } from '../../warnings.ts'

export const mostOperations = 500

const secretId = z
  .string()
  .min(1)
  .max(limits.name)
  .describe('The secret: `sec_…`, or the name of its object.')
const version = z
  .string()
  .max(limits.word)
  .optional()
  .describe('The ETag that was read, without quotes.')

const operation = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('create'), ...secretCreateShape }),
  z.strictObject({
    op: z.literal('update'),
    id: secretId,
    if_match: version,
    ...secretUpdateShape,
  }),
  z.strictObject({ op: z.literal('delete'), id: secretId, if_match: version }),
])
type Operation = {
  op: 'create' | 'update' | 'delete'
  id?: string
  if_match?: string
} & SecretInput

interface Body {
  readonly operations: Operation[]
  readonly dry_run: boolean
  readonly note?: string
  readonly expected_set?: string
  readonly change_set?: { readonly id: string; readonly last: boolean }
}

const bodySchema = z.strictObject({
  operations: z
    .array(operation)
    .min(1)
    .max(mostOperations)
    .describe('Done in this order, all or none.'),
  ...changeFields,
  change_set: z
    .strictObject({
      id: z
        .string()
        .regex(/^[\w.-]{1,128}$/, 'must be up to 128 letters, digits, ".", "_" and "-"')
        .describe('The same for all batches of one change; your own choice.'),
      last: z.boolean().describe('False: more batches follow, and the revision stays open.'),
    })
    .optional()
    .describe('Several batches that make one revision. When absent, this one is whole.'),
}) as unknown as z.ZodType<Body>

const [created, changed, removed] = [
  z.literal('created'),
  z.enum(['value', 'place', 'unchanged']),
  z.literal('deleted'),
]

const resultSchema = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('create'),
    change: created,
    ...secretSchema.shape,
    id: secretSchema.shape.id.optional().describe('`sec_…`; absent in a dry run.'),
  }),
  z.strictObject({
    op: z.literal('update'),
    change: changed.describe(
      'value: another one, and perhaps another place; place: another scope, stagelet, type, file or other field.',
    ),
    ...secretSchema.shape,
  }),
  z.strictObject({ op: z.literal('delete'), change: removed, id: z.string() }),
])

export const batchRoutes = routesOf('Secrets', [
  route({
    id: 'batchSecrets',
    at: 'POST /projects/:project_id/secrets/batch',
    summary: 'Create, update and delete many secrets at once: all or none, in one revision.',
    access: { in: 'project', verb: 'create', resource: 'stagelysecrets', placed: true },
    body: bodySchema,
    changes: ({ operations }) => operations.length,
    response: {
      description: 'What was done, in the order of the operations.',
      schema: z.strictObject({
        results: z.array(resultSchema),
        ...changeShape,
        warnings: z.array(
          z.strictObject({
            operation: z.int().describe('Its index.'),
            field: z.string(),
            message: z.string(),
          }),
        ),
      }),
    },
    handle: async (context) => {
      const { actor, body, deps } = context
      const { store, clock } = deps
      const project = requireTarget(context)
      const changeSet = body.change_set ?? { id: `rest-${actor.requestId ?? ''}`, last: true }
      await nextTurn()
      const found = await findAll(store, project, body.operations)
      await nextTurn()
      const around = await store.projectSummary(refOf(project), mostStagelets)
      const { dry_run: dryRun, expected_set: expectedSet, note } = body
      const options = { dryRun, expectedSet, changeSet, note }
      const batch = { operations: body.operations, found, nowMs: clock.now() }
      // Faults of operations are named already; a fault that is found at the end of the transaction
      // belongs to no operation.
      const done = await inRequestNames(() =>
        changeSecrets(context, project, options, (tx) => runAll(tx, project, batch)),
      )
      await nextTurn()
      const diff = diffSets(done.before, done.after)
      await nextTurn()
      const valued = withNewValue(diff)
      const results = done.result.map((outcome) => resultOf(outcome, valued, body.dry_run))
      const warnings = await warningsOfBatch(
        around,
        done.result.map(({ written }) => written),
      )
      const headers = warningHeader(warnings, ({ operation }) => `operations[${operation}].`)
      return { body: { results, ...done.outcome, warnings }, headers }
    },
  }),
])

type Found = readonly (KubeObject | StagelyError | undefined)[]

/** Runs inside the transaction, which cannot resolve ids. */
const findAll = (
  store: RestDeps['store'],
  project: KubeObject,
  operations: readonly Operation[],
): Promise<Found> =>
  Promise.all(
    operations.map(async ({ id }) => {
      if (id === undefined) return undefined
      return findSecret(store, project, id).catch((error: unknown) => {
        if (error instanceof StagelyError) return error
        throw error
      })
    }),
  )

interface Batch {
  readonly operations: readonly Operation[]
  readonly found: Found
  readonly nowMs: number
}

/** Reasons that are no fault of one operation: the whole batch is refused with them. */
const notFaults: ReadonlySet<Reason> = new Set(['InternalError', 'Forbidden'])

/** Continues after a refused operation, so that all faults are reported; then nothing is stored. */
const runAll = async (
  tx: Transaction,
  project: KubeObject,
  { operations, found, nowMs }: Batch,
): Promise<Done[]> => {
  const results: Done[] = []
  const faults: Fault[] = []
  for (const [index, operation] of operations.entries()) {
    const prefix = `operations[${index}].`
    try {
      const stored = found[index]
      if (stored instanceof StagelyError) throw stored
      results.push(
        await inRequestNames(() => runOne(tx, project, { operation, stored, nowMs }), prefix),
      )
    } catch (error) {
      if (!(error instanceof StagelyError) || notFaults.has(error.reason)) throw error
      append(faults, faultsOf(error, index))
    }
  }
  if (faults.length > 0) throw invalidInput(faults)
  return results
}

const faultsOf = (error: StagelyError, index: number): readonly Fault[] => {
  const { faults = [] } = error.details
  if (faults.length > 0) return faults
  const message = `${error.reason}: ${error.message}`
  return [{ field: `operations[${index}]`, reason: 'FieldValueInvalid', message }]
}

/** What one operation has done. */
interface Done {
  readonly op: Operation['op']
  readonly id: string
  /** Absent for a deletion. */
  readonly written?: Written
}

const runOne = async (
  tx: Transaction,
  project: KubeObject,
  step: { operation: Operation; stored: KubeObject | undefined; nowMs: number },
): Promise<Done> => {
  const { operation, stored, nowMs } = step
  const { op, id: _, if_match: ifMatch, ...input } = operation
  if (stored === undefined) {
    const after = await createSecret(tx, project, input, nowMs)
    return { op, id: idOf(after), written: { input, after } }
  }
  if (op === 'delete') {
    await deleteSecret(tx, stored, ifMatch)
    return { op, id: idOf(stored) }
  }
  const before = await tx.get(refOf(stored))
  const after = await updateSecret(tx, stored, { input, ifMatch, nowMs })
  return { op, id: idOf(after), written: { input, after, before } }
}

/** Ids of the secrets whose value the batch as a whole changes. */
const withNewValue = ({ added, changed }: SetDiff): ReadonlySet<string> =>
  new Set(
    [...added, ...changed.filter(({ what }) => what.includes('value'))].map(
      ({ secretId }) => secretId,
    ),
  )

const resultOf = (
  { op, id, written }: Done,
  valued: ReadonlySet<string>,
  isDry: boolean,
): object => {
  if (written === undefined) return { op, change: 'deleted', id }
  const { id: own, ...shown } = toSecret(written.after)
  if (op === 'create') return { op, change: 'created', ...(!isDry && { id: own }), ...shown }
  return { op, change: changeOf(written, valued), id: own, ...shown }
}

/** What the batch as a whole changes of the secret. */
const changeOf = (
  { before, after }: Written,
  valued: ReadonlySet<string>,
): z.infer<typeof changed> => {
  if (before?.metadata.resourceVersion === after.metadata.resourceVersion) return 'unchanged'
  return valued.has(after.metadata.uid ?? '') ? 'value' : 'place'
}
