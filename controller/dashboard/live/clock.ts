// The one place of the dashboard that reads the clock, and a signal of the present second for texts that age.
import { signal, type ReadonlySignal } from '@preact/signals'

export const now = (): number => Date.now()

const second = signal(now())
setInterval(() => {
  if (typeof document === 'undefined' || !document.hidden) second.value = now()
}, 1000)

/** Changes once in a second while the page is seen. */
export const thisSecond: ReadonlySignal<number> = second
