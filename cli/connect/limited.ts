// Lists of which only the newest items are wanted.
import { InvalidArgumentError } from 'commander'
import { append } from '../../src/kernel/append.ts'
import type { RestClient } from './rest.ts'
import type { Call } from './transport.ts'

const mostOfPage = 1_000

/** A number of items. */
export const parseLimit = (text: string): number => {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1)
    throw new InvalidArgumentError('must be a positive number.')
  return limit
}

interface Wanted {
  readonly path: string
  /** Name of the list in the answer. */
  readonly list: string
  readonly query: Call['query']
  readonly limit: number
}

/** Puts the first items of a list into `items`, page by page. True where there are more. */
export const takeFirst = async (
  rest: RestClient,
  { path, list, query, limit }: Wanted,
  items: unknown[],
): Promise<boolean> => {
  let cursor: string | undefined
  do {
    const size = String(Math.min(limit - items.length, mostOfPage))
    const { body } = await rest.call<Record<string, unknown> & { next_cursor?: string }>(path, {
      query: { ...query, limit: size, cursor },
    })
    append(items, (body[list] as unknown[] | undefined) ?? [])
    cursor = body.next_cursor
  } while (cursor !== undefined && items.length < limit)
  return cursor !== undefined
}
