// Routes that answer with a list, page by page.
import * as z from 'zod'
import { teamsWhere } from '../../../src/access/principal.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { requireIn } from './access.ts'
import { listPaged, nextCursor, pagedBy, pageQuery, type Order } from './paging.ts'
import { route, type RestContext, type RouteEntry } from './route.ts'
import { answer, answerOf, type Shown } from './shapes.ts'
import { showTarget } from './target.ts'

type Page = z.infer<z.ZodObject<typeof pageQuery>>
type QueryOf<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<Shape & typeof pageQuery>>

interface Listed<Schema extends z.ZodType, Item, Shape extends z.ZodRawShape> extends Pick<
  RouteEntry,
  'id' | 'at' | 'summary' | 'access'
> {
  readonly query?: Shape
  readonly description: string
  /** Name of the list in the answer, when it differs from the name for cursors. */
  readonly list?: string
  readonly item: Schema
  readonly order: Order<Item>
  readonly read: (context: RestContext<QueryOf<Shape>>) => Promise<readonly Item[]>
}

const pageOf = (list: string, item: z.ZodType): z.ZodType =>
  z.strictObject({ [list]: z.array(item), next_cursor: nextCursor })

/** A list that is in memory as a whole. */
export const listRoute = <
  Schema extends z.ZodType,
  Item extends Shown<z.infer<Schema>>,
  Shape extends z.ZodRawShape,
>({
  order,
  list = order.of,
  item,
  read,
  description,
  query = {} as Shape,
  ...entry
}: Listed<Schema, Item, Shape>): RouteEntry =>
  route({
    ...entry,
    query: z.strictObject({ ...query, ...pageQuery }),
    response: { description, schema: pageOf(list, item) },
    handle: async (context) => {
      const { items, next } = pagedBy(await read(context), order, context.query as Page)
      return { body: { [list]: items.map((one) => answer(item, one)), ...next } }
    },
  })

/** The words of the API for a kind: of one object, of its list and paths, and of rights. */
const words = {
  Project: { one: 'project', list: 'projects', resource: 'projects' },
  Stagelet: { one: 'stagelet', list: 'stagelets', resource: 'stagelets' },
  Agent: { one: 'agent', list: 'agents', resource: 'agents' },
  Notifier: { one: 'notifier', list: 'notifiers', resource: 'notifiers' },
  SecretStore: { one: 'store', list: 'stores', resource: 'secretstores' },
} as const

interface ReadKind<Shape extends z.ZodRawShape> {
  readonly kind: keyof typeof words
  readonly schema: z.ZodType<object>
  /** Summaries of the routes for the list, and for one object. */
  readonly summaries: readonly [string, string]
  readonly page: string
  readonly query?: Shape
  readonly selects?: (object: KubeObject, query: QueryOf<Shape>) => boolean
}

/** The routes to read a kind: in all teams of the caller, in one team, and one object by its id. */
export const readRoutes = <Shape extends z.ZodRawShape>(read: ReadKind<Shape>): RouteEntry[] => {
  const { kind, schema, summaries, page, query: shape, selects = () => true } = read
  const { one, list: name, resource } = words[kind]
  const show = answerOf(schema)
  const team = z.string().optional().describe('Only of this team.')
  const asked = { verb: 'list', resource } as const
  const list = route({
    id: `list${kind}s`,
    at: `GET /${name}`,
    summary: summaries[0],
    access: { in: 'teams', ...asked },
    query: z.strictObject({ team, ...shape, ...pageQuery }),
    response: { description: page, schema: pageOf(name, schema) },
    handle: async ({ deps, principal, query: given }) => {
      const query = given as QueryOf<Shape> & Page & { readonly team?: string }
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
    at: `GET /${name}/:${one}_id`,
    summary: summaries[1],
    access: { in: one, verb: 'get', resource },
    response: { description: `The ${one}.`, schema },
    handle: showTarget(show),
  })
  return [list, get]
}
