// Routes that are the same for each kind: list, get, create, update and delete.
import * as z from 'zod'
import { defined } from '../../../../src/kernel/defined.ts'
import { limits } from '../../../../src/resources/limits.ts'
import { teamsWhere } from '../../../../src/access/principal.ts'
import { named, type RestTargetKind } from '../../../../src/kinds/names.ts'
import { apiVersion, type KubeObject } from '../../../../src/resources/meta.ts'
import { withRestFields, type RestField } from '../../../../src/resources/schemas/rest-fields.ts'
import { objectName } from '../../../../src/resources/schema-parts.ts'
import { movesStack } from '../../../../src/store/objects/released-stacks.ts'
import type { Resource } from '../../../../src/access/roles.ts'
import type { Transaction } from '../../../../src/store/store.ts'
import { adviceOfAddress } from '../../warnings.ts'
import { impactOf, withoutWaiting } from '../../../impact/impact.ts'
import { readReach, type Situation } from '../../../impact/situation.ts'
import { requireIn } from '../access.ts'
import { listPaged, pageOf, pageQuery } from '../paging.ts'
import { deletedSchema } from '../representations.ts'
import {
  requireTarget,
  route,
  type RestAnswer,
  type RestContext,
  type RouteEntry,
  type SessionRule,
} from '../route.ts'
import { dryRunQuery, impactSchema, toImpact, withReview } from '../changes.ts'
import { inNamesOf } from '../input.ts'
import { inRestName } from '../secret-fields.ts'
import { warningHeader } from '../secrets.ts'
import { answerOf, createShape, updateShape } from '../shapes.ts'
import { deleteTarget, shownAs, showTarget } from '../target.ts'
import { createTracked, readAgain, updateTracked } from '../writes.ts'

/** The words of the API for a kind: of one object, of its list and paths, and of rights. */
const wordsOf = (kind: RestTargetKind) => {
  const { rest, plural } = named[kind]
  return { singular: rest.word, list: rest.list, resource: plural } as const
}

interface Shape {
  readonly kind: string
  /** Of an answer. */
  readonly schema: z.ZodObject
  /** Of the spec, in requests. */
  readonly fields: readonly RestField[]
}

/** A kind whose objects have a path of their own. */
export interface RestKind extends Shape {
  readonly kind: RestTargetKind
}

type QueryOf<S extends z.ZodRawShape> = z.infer<z.ZodObject<S & typeof pageQuery>>

interface ReadRoutes<S extends z.ZodRawShape> {
  /** Summaries of the routes for the list, and for one object. */
  readonly summaries: readonly [string, string]
  readonly query?: S
  readonly selects?: (object: KubeObject, query: QueryOf<S>) => boolean
}

/** The routes to read a kind: in all teams of the caller, in one team, and one object by its id. */
export const readRoutes = <S extends z.ZodRawShape>(
  { kind, schema }: Pick<RestKind, 'kind' | 'schema'>,
  { summaries, query: shape, selects = () => true }: ReadRoutes<S>,
): RouteEntry[] => {
  const { singular, list: name, resource } = wordsOf(kind)
  const show = answerOf(schema)
  const team = z.string().max(limits.name).optional().describe('Only of this team.')
  const asked = { verb: 'list', resource } as const
  const list = route({
    id: `list${kind}s`,
    at: `GET /${name}`,
    summary: summaries[0],
    access: { in: 'teams', ...asked, placed: true },
    query: z.strictObject({ team, ...shape, ...pageQuery }),
    response: { description: `One page of ${name}.`, schema: pageOf(name, schema) },
    handle: async ({ deps, principal, query: given }) => {
      const query = given as QueryOf<S> &
        z.infer<z.ZodObject<typeof pageQuery>> & { readonly team?: string }
      if (query.team !== undefined) requireIn(principal, asked, query.team)
      const namespaces =
        query.team === undefined ? teamsWhere(principal, 'list', resource) : [query.team]
      const wanted = { namespaces, selects: (object: KubeObject) => selects(object, query) }
      const { items, next } = await listPaged(deps.store, kind, wanted, query)
      return { body: { [name]: items.map(show), ...next } }
    },
  })
  const get = route({
    id: `get${kind}`,
    at: `GET /${name}/:${singular}_id`,
    summary: summaries[1],
    access: { in: singular, verb: 'get', resource },
    response: { description: `The ${singular}.`, schema },
    handle: showTarget(show),
  })
  return [list, get]
}

interface New {
  readonly name: string
  readonly namespace: string
  /** The fields of the request. */
  readonly given: Readonly<Record<string, unknown>>
  /** Fields of the spec that the request does not have. */
  readonly spec?: Record<string, unknown>
}

/** Query of the routes that write an object. */
export const writeQuery = z.strictObject(dryRunQuery)
type WriteQuery = z.infer<typeof writeQuery>

/** An answer to a write; a dry run of it also tells the impact. */
const writtenShape = (schema: z.ZodObject): z.ZodObject =>
  schema.extend({
    impact: impactSchema
      .optional()
      .describe(
        'Of a dry run, where the object decides what containers run. Absent where a stack moves (another agent or Compose project): its containers stay as they are, and no set of secrets tells what starts there.',
      ),
  })

/** A dry run stores nothing, so that nobody needs to confirm it. */
export const unlessTried =
  (rule: SessionRule | undefined) =>
  (query: WriteQuery): SessionRule | undefined =>
    query.dry_run ? undefined : rule

interface Written {
  readonly object: KubeObject
  /** Of a dry run whose impact can be told: what the object reached before. */
  readonly reached?: Situation
}

/** Writes the object, or tries to. Faults have the names of the request. */
const writeObject = async (
  { deps: { store }, actor, signal, query }: RestContext<WriteQuery>,
  { fields, schema }: Shape,
  work: (tx: Transaction) => Promise<Written>,
): Promise<RestAnswer> => {
  const { dry_run: isDry } = query
  const { object, change } = await inNamesOf(fields, () =>
    withReview(isDry ? signal : undefined, (review) =>
      store.write(actor, { dryRun: isDry, ...review }, async (tx) => {
        const { reached, object: made } = await work(tx)
        if (reached === undefined) return { object: made, change: undefined }
        return { object: made, change: withoutWaiting(reached, await readReach(tx, made)) }
      }),
    ),
  )
  const shown = shownAs(object, answerOf(schema))
  const advice = object.kind === 'Notifier' ? adviceOfAddress(object) : []
  const told = advice.map(({ field, message }) => ({ field: inRestName(field), message }))
  const answer = { ...shown, headers: { ...shown.headers, ...warningHeader(told) } }
  const isReaching = change !== undefined && change[0].stagelets.length > 0
  if (!isDry) return answer
  const impact = isReaching ? { impact: toImpact(await impactOf(...change)) } : {}
  return { status: 200, body: { ...(answer.body as object), ...impact } }
}

export const createRestObject = (
  context: RestContext<WriteQuery>,
  shape: Shape,
  { name, namespace, given, spec = {} }: New,
): Promise<RestAnswer> => {
  const whole = withRestFields(shape.fields, spec, given)
  const made = { apiVersion, kind: shape.kind, metadata: { name, namespace }, spec: whole }
  return writeObject(context, shape, async (tx) => ({
    object: await createTracked(tx, made, context.deps.clock.now()),
  }))
}

export const updateRestObject = (
  context: RestContext<WriteQuery, Readonly<Record<string, unknown>>>,
  shape: Shape,
  target = requireTarget(context),
): Promise<RestAnswer> =>
  writeObject(context, shape, async (tx) => {
    const before = await readAgain(tx, target, context.ifMatch)
    const after = { ...before, spec: withRestFields(shape.fields, before.spec ?? {}, context.body) }
    // A stack that moves keeps its containers, and starts all services at the new place: no set of secrets tells it.
    const isTold =
      context.query.dry_run && !(after.kind === 'Stagelet' && movesStack(after, before))
    const reached = isTold ? await readReach(tx, before) : undefined
    const object = await updateTracked(tx, before, after, context.deps.clock.now())
    return { object, ...defined({ reached }) }
  })

interface Words extends Pick<RouteEntry, 'summary'> {
  readonly session?: SessionRule
}

const titleOf = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

export const createRoute = (of: RestKind, { summary, session }: Words): RouteEntry => {
  const { singular, list, resource } = wordsOf(of.kind)
  const place = z.strictObject({
    team: z
      .string()
      .min(1)
      .max(limits.name)
      .default('default')
      .describe('The team that it belongs to.'),
    name: objectName.describe(`Name of the ${singular}, unique in its team.`),
  })
  const asked = { verb: 'create', resource } as const
  return route({
    id: `create${titleOf(singular)}`,
    at: `POST /${list}`,
    summary,
    session: unlessTried(session),
    access: { in: 'teams', ...asked, placed: true },
    query: writeQuery,
    body: place.extend(createShape(of.fields)) as unknown as z.ZodType<z.infer<typeof place>>,
    response: {
      status: 201,
      description: `The new ${singular}.`,
      schema: of.schema,
      dryRun: { description: 'Nothing was stored. What it would be.', schema: of.schema },
    },
    handle: (context) => {
      const { team: namespace, name, ...given } = context.body
      requireIn(context.principal, asked, namespace)
      return createRestObject(context, of, { name, namespace, given })
    },
  })
}

interface Partly {
  /** A right to change these fields and no other, which is enough to enter. */
  readonly part?: { readonly resource: Resource; readonly fields: readonly string[] }
}

export const updateRoute = (of: RestKind, more: Partial<Words> & Partly = {}): RouteEntry => {
  const { singular, list, resource } = wordsOf(of.kind)
  const { part } = more
  return route({
    id: `update${titleOf(singular)}`,
    at: `PATCH /${list}/:${singular}_id`,
    summary: more.summary ?? 'Change what is given. `null` takes a field away.',
    session: unlessTried(more.session),
    access: { in: singular, verb: 'patch', resource: part?.resource ?? resource },
    heedsIfMatch: true,
    query: writeQuery,
    body: z.strictObject(updateShape(of.fields)),
    response: {
      description: `The ${singular} as it is now; of a dry run, as it would be.`,
      schema: writtenShape(of.schema),
    },
    handle: (context) => {
      const isPart = Object.keys(context.body).every((field) => part?.fields.includes(field))
      const { namespace = '' } = requireTarget(context).metadata
      if (!isPart) requireIn(context.principal, { verb: 'patch', resource }, namespace)
      return updateRestObject(context, of)
    },
  })
}

/** A route that deletes the object; `more` may check or take away something else beside. */
export const deleteRoute = (
  { kind }: Pick<RestKind, 'kind'>,
  more: Pick<RouteEntry, 'summary' | 'session'> & Partial<Pick<RouteEntry, 'query' | 'handle'>>,
): RouteEntry => {
  const { singular, list, resource } = wordsOf(kind)
  return {
    id: `delete${titleOf(singular)}`,
    at: `DELETE /${list}/:${singular}_id`,
    access: { in: singular, verb: 'delete', resource },
    heedsIfMatch: true,
    response: { description: 'It is gone.', schema: deletedSchema },
    handle: deleteTarget(),
    ...more,
  }
}
