// Runs of `stagely compose` on one stack: whether one is going on, the last one, and whether it has changed a service.
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { describeManualRun, type ManualRun } from '../../src/kinds/observation/schema.ts'

export interface ManualRuns {
  /** Notes the beginning of a run. Until `end` is called, changes of the stack are no drift. */
  begin(who: Pick<ManualRun, 'command' | 'user'>): {
    end: (how: Pick<ManualRun, 'exitCode' | 'touched'>) => void
  }
  readonly isBusy: () => boolean
  /** The last run that has ended. */
  readonly last: () => ManualRun | undefined
  /** The person whose run has just changed the service; undefined where there is none. */
  readonly by: (service: string) => string | undefined
}

/** A change that is found so soon after a run is attributed to it: the engine reports changes a moment later. */
const justNowMs = 15_000

export const createManualRuns = (clock: Clock): ManualRuns => {
  let atWork = 0
  let last: ManualRun | undefined
  let endedAt = 0
  return {
    begin: (who) => {
      const startedAt = toTimestamp(clock.now())
      atWork++
      return {
        end: (how) => {
          atWork--
          last = { ...who, at: startedAt, ...how }
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
