// Looks that the controller asks for: where on this machine values lie, as names of places. Values are held in memory
// for the time of a look. Looks run one after the other.
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { createMasker } from '../../src/masking/masker.ts'
import { boundedAnswer, type LookOrder } from '../../src/protocol/look.ts'
import type { TaskReport } from '../../src/protocol/tasks.ts'
import type { AllowedFolders } from '../compose/allowed-folders.ts'
import type { ControllerClient } from '../link/controller-client.ts'
import { postReport } from '../tasks/post-report.ts'
import { lookInContainers, lookInImages, lookInMounts } from './in-containers.ts'
import { lookInFiles } from './in-files.ts'
import { lookInLogs } from './in-logs.ts'
import { startLooking, type LookEngine } from './looking.ts'

export interface LookRuns {
  start(order: LookOrder): void
  /** Ends all looks. */
  stop(): void
}

export interface LookRunsDeps {
  readonly engine: LookEngine
  /** Compose projects of the stagelets of this agent. */
  readonly projects: () => ReadonlySet<string>
  readonly folders: AllowedFolders
  readonly client: Pick<ControllerClient, 'post'>
  readonly clock: Clock
  readonly log: Logger
}

const mostWaiting = 4

export const createLookRuns = (deps: LookRunsDeps): LookRuns => {
  const ending = new AbortController()
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return {
    start: (order) => {
      if (waiting >= mostWaiting) return
      waiting += 1
      last = last
        .then(() => outcomeOf(deps, order, ending.signal))
        .then((report) => postReport(deps, report, ending.signal))
        .catch((error: unknown) => deps.log.warn({ reason: messageOf(error) }, 'a look broke off'))
        .finally(() => {
          waiting -= 1
        })
    },
    stop: () => ending.abort(),
  }
}

/** Never rejects. */
const outcomeOf = async (
  deps: LookRunsDeps,
  order: LookOrder,
  signal: AbortSignal,
): Promise<TaskReport> => {
  const { id, containersOnly, values } = order
  try {
    const looking = startLooking({ ...deps, projects: deps.projects(), signal }, order)
    const mounted = await lookInContainers(looking)
    if (!containersOnly) {
      await lookInLogs(looking)
      await lookInImages(looking)
      await lookInFiles(looking, deps.folders)
    }
    await lookInMounts(looking, mounted)
    const found = boundedAnswer(looking.answer())
    deps.log.info({ places: found.places.length }, 'the machine was looked through')
    return { id, found }
  } catch (error) {
    const masker = createMasker(values.map(({ value }) => Buffer.from(value, 'base64')))
    const message = masker.mask(messageOf(error)).slice(0, 2_000)
    return { id, fault: { kind: 'Failed', message } }
  }
}
