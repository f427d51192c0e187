// Batches questions: while one round trip is running, new questions are collected, and the next round
// trip answers all of them.
import { background } from './background.ts'
import { nextTurn } from './event-loop.ts'
import { isReason } from '../errors.ts'

interface BatchOptions {
  /** Other work of the process gets a turn of the event loop before each batch and after so many answers. */
  readonly inTurns?: number
  /** Called when no question is left. */
  readonly onIdle?: () => void
}

/**
 * `answer` gets up to `most` questions in order, and returns one answer for each, in the same order. It never runs twice
 * at a time. When it throws, each question is asked again by itself: a bad question then fails alone. After
 * ServiceUnavailable nothing is asked again.
 */
export const batched = <Q, A>(
  most: number,
  answer: (questions: readonly Q[]) => Promise<readonly A[]>,
  { inTurns = Infinity, onIdle }: BatchOptions = {},
): ((question: Q) => Promise<A>) => {
  interface Waiting {
    readonly question: Q
    readonly resolve: (answer: A) => void
    readonly reject: (error: unknown) => void
  }
  const waiting: Waiting[] = []
  let isAnswering = false
  const serve = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const answers = await answer(batch.map(({ question }) => question))
      for (const [i, { resolve }] of batch.entries()) {
        resolve(answers[i]!)
        if ((i + 1) % inTurns === 0) await nextTurn()
      }
    } catch (error) {
      if (batch.length > 1 && !isReason(error, 'ServiceUnavailable'))
        for (const alone of batch) await serve([alone])
      else for (const { reject } of batch) reject(error)
    }
  }
  const drain = async (): Promise<void> => {
    isAnswering = true
    // Questions that are asked in the same turn of the event loop join this batch.
    await Promise.resolve()
    while (waiting.length > 0) {
      if (inTurns !== Infinity) await nextTurn()
      await serve(waiting.splice(0, most))
    }
    isAnswering = false
    onIdle?.()
  }
  const fail = (error: unknown): void => {
    isAnswering = false
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject })
      if (!isAnswering) background(drain, fail)
    })
}
