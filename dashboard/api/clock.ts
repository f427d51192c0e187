// The one place of the dashboard that reads the clock, and the present second as a signal. One timer for all of the
// page, and none while the page is hidden.
import { signal, type ReadonlySignal } from '@preact/signals'

/** By how much the controller is ahead of this computer's clock; 0 where they are together. */
let ahead = 0

/** By the clock of this computer. */
export const ownTime = (): number => Date.now()

/** The present moment, by the controller: all moments that are shown are its. */
export const now = (): number => ownTime() + ahead

const slackMs = 2000

/**
 * The controller's time came with an answer (its header `Date`, in whole seconds). What is known is kept while it fits,
 * so that the time does not jump.
 */
export const syncClock = (date: string | null, sentAt: number, gotAt = ownTime()): void => {
  const dateMs = Date.parse(date ?? '')
  if (Number.isNaN(dateMs)) return
  const [least, most] = [dateMs - gotAt - slackMs, dateMs + 1000 - sentAt + slackMs]
  const fits = (by: number): boolean => by >= least && by <= most
  if (fits(0)) ahead = 0
  else if (!fits(ahead)) ahead = (least + most) / 2
}

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
