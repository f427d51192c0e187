// A list that is read page after page, and again when somebody asks for it. Rows never change by themselves.
import { useEffect, useState } from 'preact/hooks'

export interface Pages<T> {
  readonly rows: readonly T[] | undefined
  readonly error: unknown
  readonly isWhole: boolean
  readonly isReading: boolean
  readonly more: () => void
  readonly again: () => void
}

type ReadPage<T> = (
  cursor: { readonly cursor?: string },
  signal: AbortSignal | undefined,
) => Promise<{ readonly rows: readonly T[]; readonly next: string | undefined }>

/** Another `key` is another list. */
export const usePages = <T>(key: readonly unknown[], readPage: ReadPage<T>): Pages<T> => {
  const [rows, setRows] = useState<readonly T[] | undefined>()
  const [next, setNext] = useState<string | undefined>()
  const [error, setError] = useState<unknown>()
  const [isReading, setReading] = useState(false)
  const [round, setRound] = useState(0)
  const read = async (cursor: string | undefined, signal?: AbortSignal): Promise<void> => {
    setReading(true)
    try {
      const page = await readPage(cursor === undefined ? {} : { cursor }, signal)
      setRows((before) => (cursor === undefined ? page.rows : [...(before ?? []), ...page.rows]))
      setNext(page.next)
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
    return () => leaving.abort()
  }, [JSON.stringify(key), round])
  return {
    rows,
    error,
    isReading,
    isWhole: next === undefined,
    more: () => void read(next),
    again: () => setRound(round + 1),
  }
}
