// What a query brought last stays while it is asked again, also under another key.
import { useRef } from 'preact/hooks'

interface Asked<T> {
  readonly data: T | undefined
  readonly error: unknown
  readonly refetch: () => Promise<unknown>
}

/** `of` names what was asked for: what is kept of something else is not shown. */
export const useKept = <T>({ data, error, refetch }: Asked<T>, of: string): Asked<T> => {
  const last = useRef<{ of: string; data: T } | undefined>(undefined)
  if (data !== undefined) last.current = { of, data }
  return { data: last.current?.of === of ? last.current.data : undefined, error, refetch }
}
