// What is not in the stream, by TanStack's query client: asked when it is shown, remembered for a while, and asked again
// by itself where it could not be read.
import { QueryClient, QueryObserver, type QueryObserverResult } from '@tanstack/query-core'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { now } from '../live/clock.ts'
import { loading, type Failure, type Known } from '../live/known.ts'
import { mayPass, retryMs } from '../live/mend.ts'
import { isLive } from '../live/stream.ts'

// A network that the browser holds for gone is asked too: the answer says why there is none.
const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 10_000, gcTime: 300_000, networkMode: 'always' },
  },
})
queries.mount()

interface Asked<T> {
  /** Names what is asked for; another key is something else. */
  readonly key: readonly unknown[]
  readonly read: (signal: AbortSignal) => Promise<T>
  readonly enabled?: boolean
  /** Another one asks again, under the same key: what is known stays until then. */
  readonly stamp?: unknown
  /** What was read under another stamp is not shown. */
  readonly exact?: boolean
  /** Changes within so many ms are asked for once. */
  readonly calmMs?: number
}

interface Stamped<T> {
  readonly value: T
  readonly stamp: string
}

const textOf = (stamp: unknown): string => JSON.stringify(stamp) ?? ''

const optionsOf = <T>({ key, read, enabled = true, stamp }: Asked<T>) => ({
  queryKey: key,
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Stamped<T>> => ({
    value: await read(signal),
    stamp: textOf(stamp),
  }),
  enabled,
  // Under which stamp it was read is not known before it is looked at.
  ...(stamp !== undefined && { staleTime: 0 }),
  refetchInterval: ({ state }: { state: { error: unknown } }) =>
    state.error !== null && mayPass(state.error) ? retryMs : (false as const),
})

/** Another try takes the error from the client's result until it fails too: it stays known here. */
const useFailure = (result: QueryObserverResult | undefined, key: string): Failure | undefined => {
  const last = useRef<{ readonly key: string; readonly failure: Failure } | undefined>(undefined)
  const error = result?.error ?? null
  if (last.current?.key !== key || (result?.isSuccess === true && error === null))
    last.current = undefined
  if (result !== undefined && error !== null && last.current?.failure.error !== error) {
    const since = last.current?.failure.since ?? now()
    last.current = { key, failure: { error, since, again: () => void result.refetch() } }
  }
  return last.current?.failure
}

/**
 * Asks again when the stamp is another, and what failed when the stream stands again. One read at a time: where the
 * stamp changes meanwhile, it is read once more, so that a slow answer comes too.
 */
const useAgain = <T>(observer: QueryObserver<Stamped<T>>, asked: Asked<T>): void => {
  const [key, stamp] = [textOf(asked.key), textOf(asked.stamp)]
  const shown = useRef({ key, stamp })
  useEffect(() => {
    const before = shown.current
    shown.current = { key, stamp }
    if (before.key !== key || before.stamp === stamp || asked.enabled === false) return undefined
    const catchUp = async (): Promise<void> => {
      const { data } = await observer.refetch({ cancelRefetch: false })
      const now = shown.current
      if (now.key === key && data !== undefined && data.stamp !== now.stamp)
        await observer.refetch({ cancelRefetch: false })
    }
    const timer = setTimeout(() => void catchUp(), asked.calmMs ?? 0)
    return () => clearTimeout(timer)
  }, [stamp, key, asked.enabled])
  useEffect(
    () =>
      isLive.subscribe((live) => {
        if (live && observer.getCurrentResult().error !== null) void observer.refetch()
      }),
    [observer],
  )
}

/** `again`: after it was changed here. */
export type Query<T> = Known<T> & { readonly again: () => Promise<void> }

export const useQuery = <T>(asked: Asked<T>): Query<T> => {
  const options = optionsOf(asked)
  const key = textOf(asked.key)
  const stamp = textOf(asked.stamp)
  const [observer] = useState(() => new QueryObserver<Stamped<T>>(queries, options))
  const [{ result, of }, setShown] = useState(() => ({
    result: observer.getOptimisticResult(observer.options as never),
    of: key,
  }))
  const show = (next: QueryObserverResult<Stamped<T>>): void =>
    setShown({ result: next, of: textOf(observer.options.queryKey) })
  useEffect(() => observer.subscribe(show), [observer])
  useEffect(() => {
    observer.setOptions(options)
    show(observer.getCurrentResult())
  }, [key, stamp, asked.enabled])
  useAgain(observer, asked)
  // What came under another key is of something else.
  const isOfKey = of === key
  const failure = useFailure(isOfKey ? result : undefined, key)
  const data = isOfKey ? result.data : undefined
  const isShown = data !== undefined && (asked.exact !== true || data.stamp === stamp)
  return useMemo((): Query<T> => {
    const again = async (): Promise<void> => {
      await observer.refetch()
    }
    const failed = failure === undefined ? {} : { failure }
    if (isShown) return { state: 'known', value: data.value, again, ...failed }
    return failure === undefined ? { ...loading, again } : { state: 'failed', failure, again }
  }, [isShown, data, failure])
}

/** Tells what came by another way. */
export const tellQuery = (key: readonly unknown[], value: unknown): void => {
  queries.setQueryData(key, { value, stamp: '' })
}
