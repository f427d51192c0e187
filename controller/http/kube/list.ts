// Lists: whole or in pages, at which version, and which parameters may be combined.
import { isReason, StagelyError } from '../../../src/kernel/errors.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { ObjectPage, PageOptions, StoredObject } from '../../../src/store/store.ts'
import type { AppContext } from '../env.ts'
import {
  parseContinue,
  renderContinue,
  type Continue,
  type ListPosition,
} from './continue-token.ts'
import { isSelective, listSelectionOf, selects, type ListSelection } from './params.ts'
import {
  forbiddenOption,
  matchOf,
  requireReached,
  resourceVersionOf,
  type ResourceVersionMatch,
} from './resource-version.ts'
import type { CallerStore } from '../../../src/store/caller-store.ts'

export interface ListAnswer {
  readonly items: readonly StoredObject[]
  readonly resourceVersion: number
  /** Token of the next page; absent on the last one. */
  readonly continue?: string
  /** Number of remaining items; known only without selectors. */
  readonly remaining?: number
}

interface Wanted {
  readonly selection: ListSelection
  readonly limit: number
  readonly from: Partial<Continue>
}

/** Rows that are read at once when a selector filters them. */
const searchRows = 500

const bad = (message: string): StagelyError => new StagelyError('BadRequest', message)

/** undefined: no limit. As in Kubernetes, a negative limit is none. */
export const limitOf = (c: AppContext): number | undefined => {
  const text = c.req.query('limit') ?? ''
  if (text === '') return undefined
  if (!/^-?\d{1,15}$/.test(text)) throw bad('limit must be a whole number')
  return Number(text) > 0 ? Number(text) : undefined
}

/** The exact version to list; undefined: the newest. */
const exactVersion = async (
  c: AppContext,
  store: CallerStore,
  match: ResourceVersionMatch | undefined,
): Promise<number | undefined> => {
  const version = resourceVersionOf(c)
  const option = 'resourceVersionMatch'
  if (match !== undefined && version === undefined)
    throw forbiddenOption(c, option, `${option} is forbidden unless resourceVersion is provided`)
  if (match === 'Exact' && version === 0)
    throw forbiddenOption(c, option, `${option} "exact" is forbidden for resourceVersion "0"`)
  await requireReached(store, version)
  return match === 'Exact' ? version : undefined
}

const wantedOf = async (c: AppContext, store: CallerStore, kind: Kind): Promise<Wanted> => {
  if (c.req.query('sendInitialEvents') !== undefined)
    throw forbiddenOption(c, 'sendInitialEvents', 'sendInitialEvents is forbidden for list')
  const match = matchOf(c)
  const selection = listSelectionOf(c, kind)
  const limit = limitOf(c) ?? Number.MAX_SAFE_INTEGER
  const token = c.req.query('continue') ?? ''
  if (token !== '') {
    if (resourceVersionOf(c) !== undefined)
      throw bad('specifying resource version is not allowed when using continue')
    return { selection, limit, from: parseContinue(token) }
  }
  const at = await exactVersion(c, store, match)
  // A list at "any version" is not paged, as in Kubernetes.
  const whole = resourceVersionOf(c) === 0
  return { selection, limit: whole ? Number.MAX_SAFE_INTEGER : limit, from: { at } }
}

export const listPositionOf = ({
  object: { metadata },
}: Pick<StoredObject, 'object'>): ListPosition => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
})

/**
 * After the expiry of a version, a list may continue with the present objects; a list at an exact
 * version cannot.
 */
const readPage = async (
  store: CallerStore,
  kind: Kind,
  options: PageOptions,
): Promise<ObjectPage> => {
  try {
    return await store.listPage(kind.kind, options)
  } catch (error) {
    if (!isReason(error, 'Expired')) throw error
    if (options.after === undefined)
      throw new StagelyError('Expired', 'The resourceVersion for the provided list is too old.')
    throw new StagelyError(
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      { continue: renderContinue({ at: undefined, after: options.after }) },
    )
  }
}

/** The list that the request asks for. */
export const listOfRequest = async (
  c: AppContext,
  store: CallerStore,
  kind: Kind,
): Promise<ListAnswer> => {
  const { selection, limit, from } = await wantedOf(c, store, kind)
  const selective = isSelective(selection)
  const { namespace, within } = selection
  const items: StoredObject[] = []
  let { at, after } = from
  const inconsistent = after !== undefined && at === undefined
  for (;;) {
    const room = limit - items.length
    const rows = selective ? Math.max(room, searchRows) : room
    const page = await readPage(store, kind, { namespace, within, at, after, limit: rows })
    // All pages show the version of the first one.
    if (!inconsistent) at = page.resourceVersion
    const usedCount = takeSelected(items, page.items, { selection, limit })
    const left = page.remaining + page.items.length - usedCount
    const { resourceVersion } = page
    if (left === 0) return { items, resourceVersion }
    const last = page.items[usedCount - 1]
    if (last !== undefined) after = listPositionOf(last)
    if (items.length >= limit && after !== undefined) {
      const next = renderContinue({ at: inconsistent ? undefined : at, after })
      const more = selective ? {} : { remaining: left }
      return { items, resourceVersion, continue: next, ...more }
    }
  }
}

/** Fills `items` up to the limit; returns how many of `rows` were used. */
const takeSelected = (
  items: StoredObject[],
  rows: readonly StoredObject[],
  { selection, limit }: { selection: ListSelection; limit: number },
): number => {
  let usedCount = 0
  for (const row of rows) {
    if (items.length >= limit) break
    usedCount++
    if (selects(selection, row)) items.push(row)
  }
  return usedCount
}
