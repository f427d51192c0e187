// What is not in the stream, by TanStack's query client: read when it is shown, kept while it is read again, and retried
// by itself where it could not be read.
import { QueryClient, QueryObserver, type QueryObserverResult } from '@tanstack/query-core'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { now } from '../api/clock.ts'
import { loading, type Failure, type Known } from '../live/known.ts'
import { isTransient, listRetryMs } from '../live/retry.ts'
import { isStreamLive } from '../live/stream.ts'

// A network that the browser takes for offline is asked too: the answer says why it fails.
const client = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 10_000, gcTime: 300_000, networkMode: 'always' },
  },
})
client.mount()

interface QueryOptions<T> {
  /** Names what is read; another key is something else. */
  readonly key: readonly unknown[]
  readonly read: (signal: AbortSignal) => Promise<T>
  readonly enabled?: boolean
  /** Objects of the stream: when they change, the query is read again. The known value stays until then. */
  readonly refetchOn?: unknown
  /** A value that was read before `refetchOn` changed is not shown. */
  readonly exact?: boolean
  /** Changes within so many ms are read once. */
  readonly debounceMs?: number
  /** Read again after so many seconds while the page is seen. */
  readonly pollSeconds?: number | undefined
}

interface Versioned<T> {
  readonly value: T
  /** `refetchOn` when it was read. */
  readonly version: string
}

const textOf = (value: unknown): string => JSON.stringify(value) ?? ''

const optionsOf = <T>({ key, read, enabled = true, refetchOn, pollSeconds }: QueryOptions<T>) => ({
  queryKey: key,
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Versioned<T>> => ({
    value: await read(signal),
    version: textOf(refetchOn),
  }),
  enabled,
  // The version of a cached value is not known before it is looked at.
  ...(refetchOn !== undefined && { staleTime: 0 }),
  refetchInterval: ({ state }: { state: { error: unknown } }) => {
    if (state.error !== null && isTransient(state.error)) return listRetryMs
    return pollSeconds === undefined ? (false as const) : pollSeconds * 1000
  },
})

/** A retry removes the error from the client's result until it fails too: the failure stays known here. */
const useFailure = (result: QueryObserverResult | undefined, key: string): Failure | undefined => {
  const last = useRef<{ readonly key: string; readonly failure: Failure } | undefined>(undefined)
  const error = result?.error ?? null
  if (last.current?.key !== key || (result?.isSuccess === true && error === null))
    last.current = undefined
  if (result !== undefined && error !== null && last.current?.failure.error !== error) {
    const since = last.current?.failure.since ?? now()
    last.current = { key, failure: { error, since, retry: () => void result.refetch() } }
  }
  return last.current?.failure
}

/**
 * Reads again when `refetchOn` changes, and what failed when the stream is connected again. One read at a time: where
 * `refetchOn` changes meanwhile, the query is read once more, so that a slow answer arrives too.
 */
const useRefetch = <T>(observer: QueryObserver<Versioned<T>>, query: QueryOptions<T>): void => {
  const [key, version] = [textOf(query.key), textOf(query.refetchOn)]
  const shown = useRef({ key, version })
  useEffect(() => {
    const before = shown.current
    shown.current = { key, version }
    if (before.key !== key || before.version === version || query.enabled === false)
      return undefined
    const refetch = async (): Promise<void> => {
      const { data } = await observer.refetch({ cancelRefetch: false })
      const current = shown.current
      if (current.key === key && data !== undefined && data.version !== current.version)
        await observer.refetch({ cancelRefetch: false })
    }
    const timer = setTimeout(() => void refetch(), query.debounceMs ?? 0)
    return () => clearTimeout(timer)
  }, [version, key, query.enabled])
  useEffect(
    () =>
      isStreamLive.subscribe((live) => {
        if (live && observer.getCurrentResult().error !== null) void observer.refetch()
      }),
    [observer],
  )
}

/** `refetch`: after it was changed here. */
export type Query<T> = Known<T> & { readonly refetch: () => Promise<void> }

export const useQuery = <T>(query: QueryOptions<T>): Query<T> => {
  const options = optionsOf(query)
  const [key, version] = [textOf(query.key), textOf(query.refetchOn)]
  const [observer] = useState(() => new QueryObserver<Versioned<T>>(client, options))
  const [{ result, resultKey }, setShown] = useState(() => ({
    result: observer.getOptimisticResult(observer.options as never),
    resultKey: key,
  }))
  const show = (next: QueryObserverResult<Versioned<T>>): void =>
    setShown({ result: next, resultKey: textOf(observer.options.queryKey) })
  useEffect(() => observer.subscribe(show), [observer])
  useEffect(() => {
    observer.setOptions(options)
    show(observer.getCurrentResult())
  }, [key, version, query.enabled, query.pollSeconds])
  useRefetch(observer, query)
  // The result of another key is of something else.
  const isOfKey = resultKey === key
  const failure = useFailure(isOfKey ? result : undefined, key)
  const data = isOfKey ? result.data : undefined
  const isShown = data !== undefined && (query.exact !== true || data.version === version)
  return useMemo((): Query<T> => {
    const refetch = async (): Promise<void> => {
      await observer.refetch()
    }
    const failed = failure === undefined ? {} : { failure }
    if (isShown) return { state: 'known', value: data.value, refetch, ...failed }
    return failure === undefined ? { ...loading, refetch } : { state: 'failed', failure, refetch }
  }, [isShown, data, failure])
}

/** Shows an answer that came with another request. */
export const setQueryValue = (key: readonly unknown[], value: unknown): void => {
  client.setQueryData(key, { value, version: '' })
}
