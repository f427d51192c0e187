// What a query brought last stays while it is asked again, also under another key.
import { useRef } from 'preact/hooks'

interface Asked<T> {
  readonly data: T | undefined
  readonly error: unknown
  readonly refetch: () => Promise<unknown>
}

export const useKept = <T>({ data, error, refetch }: Asked<T>): Asked<T> => {
  const last = useRef<T | undefined>(undefined)
  if (data !== undefined) last.current = data
  return { data: last.current, error, refetch }
}
