// Turns of the event loop. Whoever works for long gives way now and then; of all who wait one goes on in each turn, so
// that what else has arrived is served between them, however many work for long at the same time.
let isScheduled = false
const waiting: (() => void)[] = []

const next = (): void => {
  const goOn = waiting.shift()
  isScheduled = waiting.length > 0
  if (isScheduled) setImmediate(next)
  goOn?.()
}

/** Resolves in a turn that nobody else waits for. */
export const ownTurn = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.push(resolve)
    if (isScheduled) return
    isScheduled = true
    setImmediate(next)
  })
