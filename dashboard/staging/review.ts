// The dry run of what is staged, one at a time: a dry run holds back all writers, so it is asked for when the
// review opens, again 1.5 s after a further edit, and never for each key that is pressed.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, ApiProblem, must } from '../api/client.ts'
import { answerOfAll, editBatches, saysSame, type EditBatch } from './batches.ts'
import { operationsOf, type BatchAnswer, type Edit, type Operation } from './staging.ts'

export interface Reviewed {
  readonly answer: BatchAnswer | undefined
  readonly error: unknown
  readonly busy: boolean
  /** The edits that the answer is about, in its order. */
  readonly edits: readonly Edit[]
  readonly again: () => void
}

const settleMs = 1500

interface Options {
  readonly dry_run?: boolean
  readonly expected_set?: string
  readonly note?: string
  readonly change_set?: { readonly id: string; readonly last: boolean }
}

const send = (
  project: string,
  operations: readonly Operation[],
  more: Options,
  key?: string,
): Promise<BatchAnswer> =>
  must(
    api.POST('/projects/{project_id}/secrets/batch', {
      params: {
        path: { project_id: project },
        ...(key !== undefined && { header: { 'Idempotency-Key': key } }),
      },
      body: { operations: [...operations], ...more },
    }),
  )

/** How many requests the edits are. */
export const reviewRequests = (edits: readonly Edit[]): readonly EditBatch[] =>
  editBatches(edits, operationsOf(edits))

/** Each batch by itself, one after another. */
const tryAll = async (project: string, edits: readonly Edit[]): Promise<BatchAnswer> => {
  const answers: BatchAnswer[] = []
  for (const { operations } of reviewRequests(edits))
    answers.push(await send(project, operations, { dry_run: true }))
  return answerOfAll(answers)
}

/** `version` changes when the stored set may have changed: the dry run is made anew. */
export const useReview = (project: string, edits: readonly Edit[], version: unknown): Reviewed => {
  const [state, setState] = useState<Omit<Reviewed, 'again'>>({
    answer: undefined,
    error: undefined,
    busy: true,
    edits: [],
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
      const mine = tryAll(project, edits).then(
        (answer) => {
          if (isWanted) setState({ answer, error: undefined, busy: false, edits: edits })
        },
        (error: unknown) => {
          if (isWanted) setState({ answer: undefined, error, busy: false, edits: edits })
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
    again: () => setRound((count) => count + 1),
  }
}

/** Edits that the dry run found to change something. */
export const realEdits = ({ answer, edits }: Pick<Reviewed, 'answer' | 'edits'>): readonly Edit[] =>
  edits.filter((_, index) => answer?.results[index]?.change !== 'unchanged')

const isFaster = (error: unknown): boolean =>
  error instanceof ApiProblem && [409, 412].includes(error.problem.status)

/** Some batches are stored and one was refused: their edits are in `stored`, the others stay staged. */
export class PartlyApplied extends Error {
  override readonly name = 'PartlyApplied'
  readonly stored: readonly Edit[]
  constructor(stored: readonly Edit[], cause: unknown) {
    super(cause instanceof Error ? cause.message : '', { cause })
    this.stored = stored
  }
}

/**
 * What is not judged again by a person: a later batch, whose set the first has changed, and a repeat. Each edit is
 * held to the version that it began with.
 */
const guarded = ({ edits, operations }: EditBatch): Operation[] =>
  operations.map((operation, index) => {
    const version = edits[index]?.fromVersion
    return operation.op !== 'update' || version === undefined || version === 0
      ? operation
      : { ...operation, expected_version: version }
  })

type ReviewedEdits = Pick<Reviewed, 'answer' | 'edits'>

/** The dry run once more; undefined where it fails, or says something else of the edits or the containers. */
const stillSo = async (
  project: string,
  { answer, edits }: ReviewedEdits,
): Promise<ReviewedEdits | undefined> => {
  const now = await tryAll(project, edits).catch(() => undefined)
  if (answer === undefined || now === undefined || !saysSame(answer, now)) return undefined
  return { answer: now, edits }
}

/** `faster`: somebody changed since the dry run what these edits are about; nothing was stored. */
export const applyEdits = async (
  project: string,
  reviewed: ReviewedEdits,
  { note, key, isAgain = false }: { note: string; key: string; isAgain?: boolean },
): Promise<BatchAnswer | 'faster'> => {
  const set = reviewed.answer?.set
  const why = note === '' ? {} : { note }
  const batches = reviewRequests(realEdits(reviewed))
  const answers: BatchAnswer[] = []
  for (const [index, batch] of batches.entries()) {
    const isFirst = index === 0
    const more = {
      ...why,
      ...(isFirst && set !== undefined && { expected_set: set }),
      ...(batches.length !== 1 && { change_set: { id: key, last: index === batches.length - 1 } }),
    }
    const operations = isFirst && !isAgain ? batch.operations : guarded(batch)
    try {
      answers.push(await send(project, operations, more, isFirst ? key : `${key}-${index}`))
    } catch (error) {
      if (isFirst && isFaster(error)) {
        const next = isAgain ? undefined : await stillSo(project, reviewed)
        if (next === undefined) return 'faster'
        return applyEdits(project, next, { note, key: `${key}-again`, isAgain: true })
      }
      if (isFirst) throw error
      throw new PartlyApplied(
        batches.slice(0, index).flatMap(({ edits }) => edits),
        error,
      )
    }
  }
  return answerOfAll(answers)
}
