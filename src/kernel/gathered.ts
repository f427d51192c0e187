// Batches questions: while one round trip is running, new questions are collected, and the next round
// trip answers all of them.
import { background } from './background.ts'
import { ownTurn } from './turn.ts'
import { isReason } from './errors.ts'

export interface GatheredOptions {
  /** Other work of the process gets a turn of the event loop before each batch and after so many answers. */
  readonly inTurns?: number
  /** Called when no question is left. */
  readonly onIdle?: () => void
}

/**
 * `answer` gets up to `most` questions in order, and returns one answer for each, in the same order. It
 * never runs twice at a time. When it throws, each question is asked again alone, so that a bad
 * question fails no other; not for ServiceUnavailable, which a retry alone would not mend.
 */
export const gathered = <Q, A>(
  most: number,
  answer: (asked: readonly Q[]) => Promise<readonly A[]>,
  { inTurns = Infinity, onIdle }: GatheredOptions = {},
): ((one: Q) => Promise<A>) => {
  interface Asked {
    readonly one: Q
    readonly resolve: (answer: A) => void
    readonly reject: (error: unknown) => void
  }
  const waiting: Asked[] = []
  let isAnswering = false
  const serve = async (batch: readonly Asked[]): Promise<void> => {
    try {
      const answers = await answer(batch.map(({ one }) => one))
      for (const [i, { resolve }] of batch.entries()) {
        resolve(answers[i]!)
        if ((i + 1) % inTurns === 0) await ownTurn()
      }
    } catch (error) {
      if (batch.length > 1 && !isReason(error, 'ServiceUnavailable'))
        for (const asked of batch) await serve([asked])
      else for (const { reject } of batch) reject(error)
    }
  }
  const drain = async (): Promise<void> => {
    isAnswering = true
    // Questions that are asked in the same turn of the event loop join this batch.
    await Promise.resolve()
    while (waiting.length > 0) {
      if (inTurns !== Infinity) await ownTurn()
      await serve(waiting.splice(0, most))
    }
    isAnswering = false
    onIdle?.()
  }
  const fail = (error: unknown): void => {
    isAnswering = false
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  return (one) =>
    new Promise((resolve, reject) => {
      waiting.push({ one, resolve, reject })
      if (!isAnswering) background(drain, fail)
    })
}
