// What persons do to one stack through the agent: whether one is at it, who was the last, and whom a
// change is to be put down to.
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { describeManualRun, type ManualRun } from '../../src/resources/observation.ts'

export interface ManualRuns {
  /** Until `end` is called nothing that is seen of the stack is judged. */
  begin(who: Pick<ManualRun, 'command' | 'user'>): {
    end: (how: Pick<ManualRun, 'exitCode' | 'touched'>) => void
  }
  readonly isBusy: () => boolean
  /** The last one that has ended. */
  readonly last: () => ManualRun | undefined
  /** Who has touched the service, where that was just now. */
  readonly by: (service: string) => string | undefined
}

/** So long after its end what is found is put down to it: the engine tells of it a moment later. */
const justNowMs = 15_000

export const createManualRuns = (clock: Clock): ManualRuns => {
  let atWork = 0
  let last: ManualRun | undefined
  let endedAt = 0
  return {
    begin: (who) => {
      const at = toTimestamp(clock.now())
      atWork++
      return {
        end: (how) => {
          atWork--
          last = { ...who, at, ...how }
          endedAt = clock.monotonic()
        },
      }
    },
    isBusy: () => atWork > 0,
    last: () => last,
    by: (service) => {
      const isJustNow = clock.monotonic() - endedAt < justNowMs
      return last?.touched.includes(service) === true && isJustNow
        ? describeManualRun(last)
        : undefined
    },
  }
}
