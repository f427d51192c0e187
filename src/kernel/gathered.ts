// Many who ask for the same kind of thing at about the same time are answered together: one round
// trip serves all that gathered while the last one was on its way.

/**
 * `answer` gets up to `most` of what was asked, in order, and returns an answer for each in the same
 * order. Never runs twice at a time. When it throws, all of them fail with that.
 */
export const gathered = <Q, A>(
  most: number,
  answer: (asked: readonly Q[]) => Promise<readonly A[]>,
): ((one: Q) => Promise<A>) => {
  const waiting: { one: Q; resolve: (answer: A) => void; reject: (error: unknown) => void }[] = []
  let isAnswering = false
  const drain = async (): Promise<void> => {
    isAnswering = true
    // Who is about to ask, asks in this turn.
    await Promise.resolve()
    while (waiting.length > 0) {
      const batch = waiting.splice(0, most)
      try {
        const answers = await answer(batch.map(({ one }) => one))
        for (const [i, { resolve }] of batch.entries()) resolve(answers[i]!)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isAnswering = false
  }
  return (one) =>
    new Promise((resolve, reject) => {
      waiting.push({ one, resolve, reject })
      if (!isAnswering) void drain()
    })
}
