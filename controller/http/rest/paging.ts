// Lists with cursors. Pages of objects show one moment, whatever changes meanwhile (`listPaged`). Pages
// of other items continue after the last item of the previous page (`pagedBy`).
import * as z from 'zod'
import { isReason, StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Store } from '../../../src/store/store.ts'
import { parseContinue, renderContinue, type Continue } from '../kube/continue-token.ts'
import type { CallerStore } from '../../../src/store/caller-store.ts'

const most = 1_000

/** Query fields of every list. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(most)
    .default(most)
    .describe(`How many at most, 1 to ${most}.`),
  cursor: z.string().max(2_000).optional().describe('`next_cursor` of the page before.'),
}

/** Field of every list's answer. */
const nextCursor = z
  .string()
  .optional()
  .describe('Where the next page begins; absent on the last one.')

/** The answer of a list: one page. */
export const pageOf = (list: string, item: z.ZodType): z.ZodObject =>
  z.strictObject({ [list]: z.array(item), next_cursor: nextCursor })

interface PageRequest {
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface Wanted {
  /** undefined: all. */
  readonly namespaces?: readonly string[] | undefined
  /** Only what belongs to this Project. */
  readonly project?: KubeObject
  readonly selects: (object: KubeObject) => boolean
}

interface PageOfRows {
  readonly items: KubeObject[]
  readonly next: { readonly next_cursor?: string }
  /** Which moment it shows. */
  readonly at: number
}

export const badCursor = (): StagelyError =>
  new StagelyError('BadRequest', 'cursor must be the next_cursor of an answer, unchanged')

const parseCursor = (text: string | undefined): Partial<Continue> => {
  if (text === undefined) return {}
  try {
    return parseContinue(text)
  } catch {
    throw badCursor()
  }
}

/** The sort key of an item, unique in its list: `['ann']`, `[time, id]`. */
type Place = readonly (string | number)[]

export interface Order<Item> {
  /** Name of the list: the cursor of another list is refused. */
  readonly of: string
  readonly placeOf: (item: Item) => Place
  readonly descending?: true
}

interface Slice<Item> {
  readonly items: Item[]
  readonly next: PageOfRows['next']
}

const compare = (a: Place, b: Place): number => {
  const i = a.findIndex((part, at) => part !== b[at])
  if (i < 0) return 0
  return a[i]! < b[i]! ? -1 : 1
}

const renderPlace = (of: string, after: Place): string =>
  Buffer.from(JSON.stringify({ of, after })).toString('base64url')

const parsePlace = (of: string, cursor: string): Place => {
  const form = z.strictObject({
    of: z.literal(of),
    after: z.array(z.union([z.string(), z.number()])).min(1),
  })
  try {
    return form.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))).after
  } catch {
    throw badCursor()
  }
}

/** One page of a list in memory, sorted by the items' keys. */
export const pagedBy = <Item>(
  all: readonly Item[],
  { of, placeOf, descending }: Order<Item>,
  { limit, cursor }: PageRequest,
): Slice<Item> => {
  const sign = descending === true ? -1 : 1
  const after = cursor === undefined ? undefined : parsePlace(of, cursor)
  const rest = all
    .map((item) => ({ item, place: placeOf(item) }))
    .filter(({ place }) => after === undefined || sign * compare(place, after) > 0)
    .sort((a, b) => sign * compare(a.place, b.place))
  const page = rest.slice(0, limit)
  const next = rest.length > limit ? { next_cursor: renderPlace(of, page.at(-1)!.place) } : {}
  return { items: page.map(({ item }) => item), next }
}

/** One page in the order of team and name. Expired when the cursor is too old. */
export const listPaged = async (
  store: CallerStore,
  kind: string,
  { namespaces: within, project, selects }: Wanted,
  { limit, cursor }: PageRequest,
): Promise<PageOfRows> => {
  const items: KubeObject[] = []
  const among =
    project === undefined
      ? { within }
      : { namespace: project.metadata.namespace, project: project.metadata.name }
  for (let { at, after } = parseCursor(cursor); ;) {
    // One additional row shows whether there is a next page.
    const page = await readPage(store, kind, { ...among, at, after, limit: limit + 1 })
    at = page.resourceVersion
    for (const { object } of page.items) {
      if (!selects(object)) continue
      if (items.length === limit) return { items, next: cursorOf(at, items), at }
      items.push(object)
    }
    const last = page.items.at(-1)?.object.metadata
    if (page.remaining === 0 || last === undefined) return { items, next: {}, at }
    after = { namespace: last.namespace ?? '', name: last.name }
  }
}

const cursorOf = (at: number, items: readonly KubeObject[]): { next_cursor: string } => {
  const { namespace = '', name } = items.at(-1)!.metadata
  return { next_cursor: renderContinue({ at, after: { namespace, name } }) }
}

const readPage = async (
  store: CallerStore,
  kind: string,
  options: Parameters<Store['listPage']>[1],
): ReturnType<Store['listPage']> => {
  try {
    return await store.listPage(kind, options)
  } catch (error) {
    if (!isReason(error, 'Expired')) throw error
    throw new StagelyError('Expired', 'the cursor is too old: read the list from its beginning')
  }
}
