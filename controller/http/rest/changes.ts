// Writes of secrets that say which services they reach, and dry runs of them.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { isBelowProject } from '../../../src/access/place.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { nextTurn } from '../../../src/kernel/async/event-loop.ts'
import { linkedAbort } from '../../../src/kernel/async/linked-abort.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { LaidOut } from '../../../src/secrets/environment-set.ts'
import type { ProjectEntry } from '../../../src/secrets/set-entry.ts'
import { nameSet } from '../../../src/store/core/set-diff.ts'
import type { Transaction, WriteOptions } from '../../../src/store/store.ts'
import { impactOf } from '../../impact/impact.ts'
import { emptySet, readProject, type Situation } from '../../impact/situation.ts'
import { renderId } from './ids.ts'
import { timeSchema } from './representations.ts'
import { requireTarget, type RestContext } from './route.ts'
import { answerOf, computed } from './shapes.ts'
import { rightsOf } from '../../../src/store/core/actor.ts'

const dryRun = z
  .boolean()
  .default(false)
  .describe('Check all of it, say what would change, and change nothing.')

/** The same as a query parameter, for routes whose body has other fields or none. */
export const dryRunQuery = {
  dry_run: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('true: check it, say what would change, and change nothing.'),
}

const expectedSet = z
  .string()
  .max(100)
  .optional()
  .describe('`set` of a dry run: 409 when a secret was changed since.')

const noteField = z
  .string()
  .trim()
  .min(1)
  .max(1_000)
  .optional()
  .describe('Why; kept with the revision and shown in the history. Not for values.')

/** Fields of the body of a change. */
export const changeFields = { dry_run: dryRun, expected_set: expectedSet, note: noteField }

interface ChangeBody {
  readonly dry_run: boolean
  readonly expected_set?: string | undefined
  readonly note?: string | undefined
}

const place = {
  stagelet: z.string(),
  stagelet_id: computed(z.string(), ({ uid }: { uid: string }) => renderId('Stagelet', uid)),
}

const hit = {
  service: z.string(),
  keys: z
    .array(z.string())
    .describe('What changes for it: keys of secrets that are new, gone, or have another value.'),
  gains: z.array(z.string()).optional().describe('Those that it does not have now.'),
  loses: z.array(z.string()).optional().describe('Those that it has no more.'),
  reason: z.string(),
}

const seenBy = {
  scope: z.string().describe('global, or the one service that sees it.'),
  stagelet: z.string().optional().describe('The one stagelet that sees it.'),
  environments: z.array(z.string()).optional().describe('The environments that see it.'),
}

export const impactSchema = z
  .strictObject({
    affected: z
      .array(z.strictObject({ ...place, ...hit }))
      .describe('Services that get a new container.'),
    cascaded: z
      .array(z.strictObject({ ...place, service: z.string(), with: z.array(z.string()) }))
      .describe(
        'Services that are re-created with others, whose namespaces or volumes they share.',
      ),
    held: z
      .array(
        z.strictObject({
          ...place,
          why: z
            .string()
            .describe('A word, such as Paused, AgentDrained, AgentAway or Quarantined.'),
          message: z.string(),
          since: timeSchema.optional().describe('Absent where the time is not recorded.'),
          services: z
            .array(z.strictObject(hit))
            .describe('Services that get a new container once nothing holds it.'),
        }),
      )
      .describe('Stagelets that it would reach, and that no new revision reaches now.'),
    widened: z
      .array(
        z.strictObject({
          key: z.string(),
          ...seenBy,
          before: z.array(z.strictObject(seenBy)).describe('Where the key was before.'),
          services: z
            .array(z.strictObject({ stagelet: z.string(), service: z.string() }))
            .describe('Services that see the key now and did not before.'),
        }),
      )
      .describe('Secrets whose keys were kept to fewer services before. Ask before such a change.'),
    untouched: z.int().describe('How many other services the stagelets of the project have.'),
  })
  .describe('Which services the change reaches, as agents have reported them. Never values.')
export const toImpact = answerOf(impactSchema)

/** Fields of an answer to a change. */
export const changeShape = {
  set: z
    .string()
    .describe('Names the secrets and versions that were stored before: see `expected_set`.'),
  revision: z
    .int()
    .optional()
    .describe('Revision that holds the change; absent where nothing changed, and in a dry run.'),
  impact: impactSchema,
}

/** Fields of an answer to a dry run, where the write itself does not tell them. */
export const triedShape = { set: changeShape.set.optional(), impact: impactSchema.optional() }

/** Answer to the dry run of a change after which nothing of the secret is left. */
export const triedSchema = z
  .strictObject({ status: z.literal('dry_run'), set: changeShape.set, impact: impactSchema })
  .describe('Of a dry run: it is still there.')

type Told = z.infer<z.ZodObject<typeof changeShape>>

interface ChangeOptions {
  readonly dryRun: boolean
  readonly expectedSet?: string | undefined
  readonly changeSet: WriteOptions['changeSet']
  readonly note?: string | undefined
}

/** One change set that is closed at once, so that it is rolled out as a whole. */
export const wholeChange = (body: ChangeBody): ChangeOptions => ({
  dryRun: body.dry_run,
  expectedSet: body.expected_set,
  note: body.note,
  changeSet: { id: randomUUID(), last: true },
})

interface Seen {
  readonly situation: Situation
  readonly set: LaidOut
  /** Newest closed revision. */
  readonly closed: number
}

const readSituation = async (tx: Transaction, project: KubeObject): Promise<Seen> => {
  const situation = await readProject(tx, refOf(project))
  const [set = emptySet] = situation.sets.values()
  const { closed } = await tx.revisionsOf(project.metadata.uid ?? '')
  return { situation, set, closed }
}

export interface Changed<T> {
  readonly result: T
  readonly before: readonly ProjectEntry[]
  readonly after: readonly ProjectEntry[]
  readonly outcome: Told
}

/** Writes secrets of the project, or tries to. Conflict where another set is stored than was expected. */
export const changeSecrets = async <T>(
  context: Pick<RestContext, 'deps' | 'actor' | 'signal' | 'note'>,
  project: KubeObject,
  { dryRun: isDry, expectedSet: expected, changeSet, note = context.note }: ChangeOptions,
  work: (tx: Transaction) => Promise<T>,
): Promise<Changed<T>> => {
  const { store } = context.deps
  const { before, done, after } = await withReview(isDry ? context.signal : undefined, (review) =>
    store.write(
      context.actor,
      { dryRun: isDry, ...defined({ changeSet, note }), ...review },
      async (tx) => {
        const present = await readSituation(tx, project)
        if (expected !== undefined && expected !== nameSet(present.set)) throw otherSet(project)
        const result = await work(tx)
        return { before: present, done: result, after: await readSituation(tx, project) }
      },
    ),
  )
  // The write, what it wakes and its answer are each long for many secrets: others are served between them.
  await nextTurn()
  const set = nameSet(before.set)
  const isChanged = set !== nameSet(after.set)
  const { widened, ...impact } = toImpact(await impactOf(before.situation, after.situation))
  // Where a key was before may be a place that such a token does not see; its warnings are silent too.
  const narrowing = rightsOf(context.actor).narrowingIn(project.metadata.namespace ?? '')
  const isBelow = narrowing !== undefined && isBelowProject(narrowing)
  const revision = isDry || !isChanged ? {} : { revision: after.closed + 1 }
  return {
    result: done,
    before: before.set.entries,
    after: after.set.entries,
    outcome: { set, ...revision, impact: { ...impact, widened: isBelow ? [] : widened } },
  }
}

/** The same, and stores nothing. */
export const trySecrets = <T>(
  context: Pick<RestContext, 'deps' | 'actor' | 'signal' | 'note' | 'target'>,
  work: (tx: Transaction) => Promise<T>,
): Promise<Changed<T>> =>
  changeSecrets(context, requireTarget(context), wholeChange({ dry_run: true }), work)

const otherSet = (project: KubeObject): StagelyError =>
  new StagelyError(
    'Conflict',
    `the secrets of project "${project.metadata.name}" were changed since you looked: see what would change now (dry_run), and decide anew`,
  )

const longestMs = 30_000

/** A dry run delays no writer. It ends when the client leaves (`left`), or when it takes too long. */
export const withReview = async <T>(
  left: AbortSignal | undefined,
  run: (options: Pick<WriteOptions, 'review'>) => Promise<T>,
): Promise<T> => {
  if (left === undefined) return run({})
  const ending = linkedAbort(left)
  const late = setTimeout(() => {
    const message = `the dry run took longer than ${longestMs / 1000} s: try fewer operations at a time`
    ending.abort(new StagelyError('Timeout', message))
  }, longestMs)
  try {
    return await run({ review: { signal: ending.signal } })
  } finally {
    clearTimeout(late)
    ending.abort()
  }
}
