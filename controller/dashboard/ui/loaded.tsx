// What a query brings: it, or that it is to come, or why it does not come. What came before stays while it is asked for
// again.
import type { ComponentChild } from 'preact'
import { Skeleton } from './page.tsx'
import { ProblemBox } from './problem.tsx'

interface Props<T> {
  readonly of: {
    readonly data: T | undefined
    readonly error: unknown
    readonly refetch: () => Promise<unknown>
  }
  /** About how many rows are to come. */
  readonly rows?: number
  readonly children: (data: T) => ComponentChild
}

export const Loaded = <T,>({ of: { data, error, refetch }, rows = 4, children }: Props<T>) => (
  <>
    {error === null ? null : <ProblemBox error={error} onRetry={() => void refetch()} />}
    {data !== undefined ? children(data) : error === null ? <Skeleton rows={rows} /> : null}
  </>
)
