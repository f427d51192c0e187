// Routes that answer with a list, page by page.
import * as z from 'zod'
import { pagedBy, pageOf, pageQuery, type Order } from './paging.ts'
import { route, type RestContext, type RouteEntry } from './route.ts'
import { answer, type ShownFields } from './shapes.ts'

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

/** A list that is in memory as a whole. */
export const listRoute = <
  Schema extends z.ZodType,
  Item extends ShownFields<z.infer<Schema>>,
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
      return { body: { [list]: items.map((shown) => answer(item, shown)), ...next } }
    },
  })
