// Turns of the event loop. Long work gives way now and then. In each turn one piece of waiting work goes on: requests that
// have arrived meanwhile are served between two pieces, however many there are.
let isScheduled = false
const waiting: (() => void)[] = []

const next = (): void => {
  const goOn = waiting.shift()
  isScheduled = waiting.length > 0
  if (isScheduled) setImmediate(next)
  goOn?.()
}

/** Resolves in a turn of its own. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.push(resolve)
    if (isScheduled) return
    isScheduled = true
    setImmediate(next)
  })
