// Waits for work that is a row of the controller, such as an access request: reads the row until the work has ended.
import { realClock, type Clock } from '../../src/kernel/clock.ts'
import { CliError } from '../errors.ts'
import { note } from '../print.ts'

interface Poll<T> {
  readonly read: () => Promise<T>
  readonly isDone: (answer: T) => boolean
  /** A line for stderr. A line is printed once, until another one comes. */
  readonly progress: (answer: T) => string | undefined
  readonly everyMs: number
  /** 0: for ever. */
  readonly timeoutMs?: number
  /** What is known when the time is over. */
  readonly late?: (answer: T) => string
}

/** Resolves with the answer that ends the work. CliError when the time is over. */
export const pollUntilDone = async <T>(
  first: T,
  { read, isDone, progress, everyMs, timeoutMs = 0, late = () => 'not done' }: Poll<T>,
  clock: Pick<Clock, 'monotonic' | 'sleep'> = realClock,
): Promise<T> => {
  const until = timeoutMs === 0 ? Infinity : clock.monotonic() + timeoutMs
  let answer = first
  let printed: string | undefined
  while (!isDone(answer)) {
    const line = progress(answer)
    if (line !== undefined && line !== printed) note(line)
    printed = line
    if (clock.monotonic() >= until)
      throw new CliError(`timed out after ${timeoutMs / 1000} s: ${late(answer)}`)
    await clock.sleep(everyMs)
    answer = await read()
  }
  return answer
}
