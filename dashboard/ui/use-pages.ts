// A list that is read page after page, and again when somebody asks for it. Rows never change by themselves.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { now } from '../api/clock.ts'
import type { Failure, Known } from '../live/known.ts'
import { isTransient, listRetryMs } from '../live/retry.ts'

export interface Pages<T> {
  /** The pages that were read so far. */
  readonly rows: Known<readonly T[]>
  readonly isWhole: boolean
  readonly isReading: boolean
  readonly more: () => void
  readonly reload: () => void
}

type ReadPage<T> = (
  cursor: { readonly cursor?: string },
  signal: AbortSignal | undefined,
) => Promise<{ readonly rows: readonly T[]; readonly next: string | undefined }>

/** Another `key` is another list. */
export const usePages = <T>(key: readonly unknown[], readPage: ReadPage<T>): Pages<T> => {
  const [rows, setRows] = useState<readonly T[] | undefined>()
  const [next, setNext] = useState<string | undefined>()
  const [failure, setFailure] = useState<Failure | undefined>()
  const [isReading, setReading] = useState(false)
  const [round, setRound] = useState(0)
  const reload = (): void => setRound((before) => before + 1)
  const read = async (cursor: string | undefined, signal?: AbortSignal): Promise<void> => {
    setReading(true)
    try {
      const page = await readPage(cursor === undefined ? {} : { cursor }, signal)
      setRows((before) => (cursor === undefined ? page.rows : [...(before ?? []), ...page.rows]))
      setNext(page.next)
      setFailure(undefined)
    } catch (error) {
      if (signal?.aborted === true) return
      setFailure((before) => ({
        error,
        since: before?.since ?? now(),
        retry: cursor === undefined ? reload : () => void read(cursor),
      }))
    } finally {
      setReading(false)
    }
  }
  const text = JSON.stringify(key)
  const shownKey = useRef(text)
  useEffect(() => {
    // Rows of another list say nothing of this one.
    if (shownKey.current !== text) {
      shownKey.current = text
      setRows(undefined)
      setFailure(undefined)
    }
    const leaving = new AbortController()
    void read(undefined, leaving.signal)
    return () => leaving.abort()
  }, [text, round])
  useEffect(() => {
    if (failure === undefined || !isTransient(failure.error)) return undefined
    const timer = setTimeout(failure.retry, listRetryMs)
    return () => clearTimeout(timer)
  }, [failure])
  return {
    rows: useMemo((): Known<readonly T[]> => {
      const failed = failure === undefined ? {} : { failure }
      if (rows !== undefined) return { state: 'known', value: rows, ...failed }
      return failure === undefined ? { state: 'loading' } : { state: 'failed', failure }
    }, [rows, failure]),
    isReading,
    isWhole: next === undefined,
    more: () => void read(next),
    reload,
  }
}
