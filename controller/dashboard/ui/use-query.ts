// What is not in the stream, by TanStack's query client: asked when it is shown, remembered for a while.
import { QueryClient, QueryObserver, type QueryObserverResult } from '@tanstack/query-core'
import { useEffect, useState } from 'preact/hooks'

const queries = new QueryClient({
  defaultOptions: { queries: { retry: false, staleTime: 10_000, gcTime: 300_000 } },
})
queries.mount()

interface Asked<T> {
  /** Names what is asked for; another key asks again. */
  readonly key: readonly unknown[]
  readonly read: (signal: AbortSignal) => Promise<T>
  readonly enabled?: boolean
}

const optionsOf = <T>({ key, read, enabled = true }: Asked<T>) => ({
  queryKey: key,
  queryFn: ({ signal }: { signal: AbortSignal }) => read(signal),
  enabled,
})

export const useQuery = <T>(asked: Asked<T>): QueryObserverResult<T> => {
  const options = optionsOf(asked)
  const [observer] = useState(() => new QueryObserver<T>(queries, options))
  const [result, setResult] = useState(() =>
    observer.getOptimisticResult(observer.options as never),
  )
  useEffect(() => observer.subscribe(setResult), [observer])
  useEffect(() => {
    observer.setOptions(options)
    setResult(observer.getCurrentResult())
  }, [JSON.stringify(asked.key), asked.enabled])
  return result
}
