// The dry run of what is staged, one at a time: a dry run holds back all writers, so it is asked for when the
// review opens, again 1.5 s after a further edit, and never for each key that is pressed.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, ApiProblem, must } from '../api/client.ts'
import { operationsOf, type BatchAnswer, type Edit } from './staging.ts'

export interface Reviewed {
  readonly answer: BatchAnswer | undefined
  readonly error: unknown
  readonly busy: boolean
  /** The edits that the answer is about, in its order. */
  readonly of: readonly Edit[]
  readonly again: () => void
}

const settleMs = 1500

const batch = (
  project: string,
  edits: readonly Edit[],
  more: { dry_run?: boolean; expected_set?: string; note?: string },
  key?: string,
): Promise<BatchAnswer> =>
  must(
    api.POST('/projects/{project_id}/secrets/batch', {
      params: {
        path: { project_id: project },
        ...(key === undefined ? {} : { header: { 'Idempotency-Key': key } }),
      },
      body: { operations: operationsOf(edits), ...more },
    }),
  )

/** `version` changes when the stored set may have changed: the dry run is made anew. */
export const useReview = (project: string, edits: readonly Edit[], version: unknown): Reviewed => {
  const [state, setState] = useState<Omit<Reviewed, 'again'>>({
    answer: undefined,
    error: undefined,
    busy: true,
    of: [],
  })
  const [round, setRound] = useState(0)
  const running = useRef<Promise<void> | undefined>(undefined)
  const isFirst = useRef(true)
  useEffect(() => {
    if (edits.length === 0) return undefined
    let isWanted = true
    const ask = async (): Promise<void> => {
      await running.current
      if (!isWanted) return
      setState((before) => ({ ...before, busy: true }))
      const mine = batch(project, edits, { dry_run: true }).then(
        (answer) => {
          if (isWanted) setState({ answer, error: undefined, busy: false, of: edits })
        },
        (error: unknown) => {
          if (isWanted) setState({ answer: undefined, error, busy: false, of: edits })
        },
      )
      running.current = mine
      await mine
    }
    const timer = setTimeout(() => void ask(), isFirst.current ? 0 : settleMs)
    isFirst.current = false
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [project, edits, version, round])
  return {
    ...state,
    again: () => {
      setRound((count) => count + 1)
    },
  }
}

/** Edits that the dry run found to change something. */
export const realEdits = ({ answer, of }: Pick<Reviewed, 'answer' | 'of'>): readonly Edit[] =>
  of.filter((_, index) => answer?.results[index]?.change !== 'unchanged')

const isFaster = (error: unknown): boolean =>
  error instanceof ApiProblem && [409, 412].includes(error.problem.status)

/** `faster`: somebody changed the set since the dry run; nothing was stored. */
export const applyEdits = async (
  project: string,
  reviewed: Pick<Reviewed, 'answer' | 'of'>,
  { note, key }: { readonly note: string; readonly key: string },
): Promise<BatchAnswer | 'faster'> => {
  const set = reviewed.answer?.set
  const more = {
    ...(note === '' ? {} : { note }),
    ...(set === undefined ? {} : { expected_set: set }),
  }
  try {
    return await batch(project, realEdits(reviewed), more, key)
  } catch (error) {
    if (isFaster(error)) return 'faster'
    throw error
  }
}
