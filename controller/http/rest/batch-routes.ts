// Many changes of one project's secrets at once: one transaction, one change set, one revision.
import * as z from 'zod'
import { StagelyError, type Fault, type Reason } from '../../../src/kernel/errors.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { SecretInput } from '../../../src/resources/secret-fields.ts'
import type { Transaction } from '../../../src/store/store.ts'
import type { RestDeps } from './deps.ts'
import { idOf } from './ids.ts'
import { invalidInput } from './input.ts'
import { requireTarget, route, routesOf } from './route.ts'
import { secretSchema, toSecret } from './kinds.ts'
import { secretCreateShape, secretUpdateShape } from './secret-fields.ts'
import {
  createSecret,
  deleteSecret,
  findSecret,
  inRequestNames,
  updateSecret,
  warningsOfBatch,
  type Written,
} from './secrets.ts'
import { mostStagelets } from '../warnings.ts'

const most = 500

const secretId = z.string().min(1).describe('The secret: `sec_…`, or the name of its object.')
const version = z.string().optional().describe('The ETag that was read, without quotes.')

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

const bodySchema = z.strictObject({
  operations: z.array(operation).min(1).max(most).describe('Done in this order, all or none.'),
}) as unknown as z.ZodType<{ operations: Operation[] }>

const resultSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('create'), ...secretSchema.shape }),
  z.strictObject({ op: z.literal('update'), ...secretSchema.shape }),
  z.strictObject({ op: z.literal('delete'), id: z.string() }),
])

export const batchRoutes = routesOf('Secrets', [
  route({
    id: 'batchSecrets',
    at: 'POST /projects/:project_id/secrets/batch',
    summary: 'Create, update and delete many secrets at once: all or none, in one revision.',
    access: { in: 'project', verb: 'create', resource: 'stagelysecrets' },
    body: bodySchema,
    response: {
      description: 'What was done, in the order of the operations.',
      schema: z.strictObject({ results: z.array(resultSchema) }),
    },
    handle: async (context) => {
      const { actor, body, deps } = context
      const { store, clock } = deps
      const project = requireTarget(context)
      const changeSet = { id: `rest-${actor.requestId ?? ''}`, last: true }
      const found = await findAll(store, project, body.operations)
      const around = await store.surroundingsOf(refOf(project), mostStagelets)
      // Faults of operations are named already; a fault that is found at the end of the transaction
      // belongs to no operation.
      const results = await inRequestNames(() =>
        store.write(actor, { changeSet }, (tx) =>
          runAll(tx, project, { operations: body.operations, found, nowMs: clock.now() }),
        ),
      )
      const headers = await warningsOfBatch(
        around,
        results.map(({ written }) => written),
      )
      return { body: { results: results.map(({ shown }) => shown) }, headers }
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
      const known = found[index]
      if (known instanceof StagelyError) throw known
      results.push(
        await inRequestNames(() => runOne(tx, project, { operation, known, nowMs }), prefix),
      )
    } catch (error) {
      if (!(error instanceof StagelyError) || notFaults.has(error.reason)) throw error
      faults.push(...faultsOf(error, index))
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

/** An operation's part of the answer, and its data for warnings. */
interface Done {
  readonly shown: object
  readonly written?: Written
}

const runOne = async (
  tx: Transaction,
  project: KubeObject,
  step: { operation: Operation; known: KubeObject | undefined; nowMs: number },
): Promise<Done> => {
  const { operation, known, nowMs } = step
  const { op, id: _, if_match: ifMatch, ...input } = operation
  if (known !== undefined && op === 'delete') {
    await deleteSecret(tx, known, ifMatch)
    return { shown: { op, id: idOf(known) } }
  }
  const after =
    known === undefined
      ? await createSecret(tx, project, input, nowMs)
      : await updateSecret(tx, known, { input, ifMatch, nowMs })
  return { shown: { op, ...toSecret(after) }, written: { input, after, before: known } }
}
