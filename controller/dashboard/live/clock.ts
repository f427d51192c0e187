// The one place of the dashboard that reads the clock, and the present second as a signal. One timer for all of the
// page, and none while nobody sees the page.
import { computed, signal, type ReadonlySignal } from '@preact/signals'

export const now = (): number => Date.now()

const second = signal(now())

const beat = (): void => {
  second.value = now()
}

let timer: ReturnType<typeof setInterval> | undefined

const followPage = (): void => {
  clearInterval(timer)
  if (document.hidden) return
  beat()
  timer = setInterval(beat, 1000)
}

// Pure parts that need a clock are tested without a page.
if (typeof document !== 'undefined') {
  followPage()
  document.addEventListener('visibilitychange', followPage)
}

/**
 * Changes once in a second while the page is seen. A component that reads its value is drawn as often: take a
 * computed signal of what is shown, which changes seldom.
 */
export const thisSecond: ReadonlySignal<number> = second

const turns = new Map<number, ReadonlySignal<number>>()

/** Changes once in so many seconds while the page is seen. */
export const beatEvery = (seconds: number): ReadonlySignal<number> => {
  let turn = turns.get(seconds)
  if (turn === undefined) {
    turn = computed(() => Math.floor(thisSecond.value / (seconds * 1000)))
    turns.set(seconds, turn)
  }
  return turn
}
