// Many who ask for the same kind of thing at about the same time are answered together: one round
// trip serves all that gathered while the last one was on its way.
import { isReason } from './errors.ts'

/**
 * `answer` gets up to `most` of what was asked, in order, and returns an answer for each in the same
 * order. Never runs twice at a time. When it throws, each is asked alone, so that one fails no other;
 * not where the service is away, which would be no better for one.
 */
export const gathered = <Q, A>(
  most: number,
  answer: (asked: readonly Q[]) => Promise<readonly A[]>,
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
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i]!)
    } catch (error) {
      if (batch.length > 1 && !isReason(error, 'ServiceUnavailable'))
        for (const asked of batch) await serve([asked])
      else for (const { reject } of batch) reject(error)
    }
  }
  const drain = async (): Promise<void> => {
    isAnswering = true
    // Who is about to ask, asks in this turn.
    await Promise.resolve()
    while (waiting.length > 0) {
      await serve(waiting.splice(0, most))
    }
    isAnswering = false
  }
  return (one) =>
    new Promise((resolve, reject) => {
      waiting.push({ one, resolve, reject })
      if (!isAnswering) void drain()
    })
}
