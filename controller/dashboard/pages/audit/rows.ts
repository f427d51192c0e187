// Rows of the audit log: those that a filter wants, page after page, and how many came since.
import { useEffect, useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import type { AuditRow } from '../../api/types.ts'

export const filterFields = ['by', 'action', 'kind', 'name', 'result', 'since'] as const
export type Filter = Partial<Record<(typeof filterFields)[number], string>>

const lengths: Readonly<Record<string, number>> = {
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
}

/** The query of the API: a length such as `24h` counts back from now. */
type Result = 'success' | 'denied'
type Query = Omit<Filter, 'result'> & { readonly result?: Result }

export const queryOf = ({ since, result, ...words }: Filter, now: number): Query => {
  const length = lengths[since ?? '']
  return {
    ...words,
    ...(length === undefined ? {} : { since: new Date(now - length).toISOString() }),
    ...(result === 'success' || result === 'denied' ? { result } : {}),
  }
}

const pageSize = 100

export interface Rows {
  readonly rows: readonly AuditRow[] | undefined
  readonly error: unknown
  readonly isWhole: boolean
  readonly isReading: boolean
  readonly more: () => void
  readonly again: () => void
}

export const useRows = (filter: Filter, namespace: string | undefined, now: () => number): Rows => {
  const [rows, setRows] = useState<readonly AuditRow[] | undefined>()
  const [next, setNext] = useState<string | undefined>()
  const [error, setError] = useState<unknown>()
  const [isReading, setReading] = useState(false)
  const [round, setRound] = useState(0)
  const read = async (cursor: string | undefined, signal?: AbortSignal): Promise<void> => {
    setReading(true)
    try {
      const query = {
        ...queryOf(filter, now()),
        ...(namespace === undefined ? {} : { namespace }),
        ...(cursor === undefined ? {} : { cursor }),
        limit: pageSize,
      }
      const page = await must(
        api.GET('/audit', { params: { query }, ...(signal === undefined ? {} : { signal }) }),
      )
      setRows((before) => (cursor === undefined ? page.rows : [...(before ?? []), ...page.rows]))
      setNext(page.next_cursor)
      setError(undefined)
    } catch (reason) {
      if (signal?.aborted !== true) setError(reason)
    } finally {
      setReading(false)
    }
  }
  useEffect(() => {
    const leaving = new AbortController()
    void read(undefined, leaving.signal)
    return () => {
      leaving.abort()
    }
  }, [JSON.stringify(filter), namespace, round])
  return {
    rows,
    error,
    isReading,
    isWhole: next === undefined,
    more: () => void read(next),
    again: () => {
      setRound(round + 1)
    },
  }
}
