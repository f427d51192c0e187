// Rows of the audit log: those that a filter wants, page after page.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { api, must } from '../../api/client.ts'
import type { AuditRow } from '../../../src/generated/rest-types.ts'
import { usePages, type Pages } from '../../ui/use-pages.ts'
import { useQuery } from '../../ui/use-query.ts'

export const filterFields = ['by', 'action', 'kind', 'name', 'result', 'since'] as const
export type EventFilter = Partial<Record<(typeof filterFields)[number], string>>

const lengths: Readonly<Record<string, number>> = {
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
}

/** The query of the API: a length such as `24h` counts back from now. */
type Result = 'success' | 'denied'
type Query = Omit<EventFilter, 'result'> & { readonly result?: Result }

export const auditQuery = ({ since, result, ...words }: EventFilter, now: number): Query => {
  const length = lengths[since ?? '']
  return {
    ...words,
    ...(length !== undefined && { since: toFineTimestamp(now - length) }),
    ...((result === 'success' || result === 'denied') && { result }),
  }
}

const pageSize = 100

export const useRows = (
  filter: EventFilter,
  namespace: string | undefined,
  now: () => number,
): Pages<AuditRow> =>
  usePages([filter, namespace], async (cursor, signal) => {
    const query = {
      ...auditQuery(filter, now()),
      ...defined({ namespace }),
      ...cursor,
      limit: pageSize,
    }
    const page = await must(api.GET('/audit', { params: { query }, ...defined({ signal }) }))
    return { rows: page.rows, next: page.next_cursor }
  })

/** How far the chain is linked and signed; asked anew every ten seconds while it is seen. */
export const useAuditState = () =>
  useQuery({
    key: ['audit-state'],
    pollSeconds: 10,
    read: (signal) => must(api.GET('/audit/state', { signal })),
  })

const plain = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '')

const textOf = (value: unknown): string => {
  if (!Array.isArray(value)) return plain(value)
  return value.length === 0 ? 'none' : value.map(plain).join(', ')
}

/** `tokenName` and `token_name` as `token name`; what lies within another as `change: from`. Pure. */
export const detailWords = (
  detail: Readonly<Record<string, unknown>>,
  within = '',
): readonly (readonly [name: string, value: string])[] =>
  Object.entries(detail).flatMap(([key, value]) => {
    const words = key.replaceAll('_', ' ').replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`)
    const name = `${within}${words.toLowerCase()}`
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject
      ? detailWords(value as Readonly<Record<string, unknown>>, `${name}: `)
      : [[name, textOf(value)] as const]
  })
