// Lists of which only the newest items are wanted.
import { InvalidArgumentError } from 'commander'
import type { Rest } from './rest.ts'
import type { Call } from './transport.ts'

const mostOfPage = 1_000

/** A number of items. */
export const parseLimit = (text: string): number => {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1)
    throw new InvalidArgumentError('must be a positive number.')
  return limit
}

/** The first items of a list, page by page; `key` is its name in the answer. `isCut`: there are more. */
export const atMost = async <T>(
  rest: Rest,
  path: string,
  key: string,
  { query, limit }: { readonly query: Call['query']; readonly limit: number },
): Promise<{ readonly items: readonly T[]; readonly isCut: boolean }> => {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const size = String(Math.min(limit - items.length, mostOfPage))
    const { body } = await rest.call<Record<string, unknown> & { next_cursor?: string }>(path, {
      query: { ...query, limit: size, cursor },
    })
    items.push(...((body[key] as T[] | undefined) ?? []))
    cursor = body.next_cursor
  } while (cursor !== undefined && items.length < limit)
  return { items, isCut: cursor !== undefined }
}
