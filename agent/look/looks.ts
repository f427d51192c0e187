// Looks that the controller asks for: where on this machine values lie, as names of places, and what a stack has printed,
// as numbers. Values are held in memory for the time of a look. Looks of one kind run one after the other.
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { createMasker } from '../../src/masking/masker.ts'
import { boundedAnswer, lookLimitMs, type LookOrder } from '../../src/protocol/look.ts'
import type { CountOrder } from '../../src/protocol/printed.ts'
import type { TaskReport } from '../../src/protocol/tasks.ts'
import type { AllowedFolders } from '../compose/allowed-folders.ts'
import type { ControllerClient } from '../link/controller-client.ts'
import { postReport } from '../tasks/post-report.ts'
import { countPrinted, type CountDeps } from './counts.ts'
import { lookInContainers, lookInImages, lookInMounts } from './in-containers.ts'
import { lookInFiles } from './in-files.ts'
import { lookInLogs } from './in-logs.ts'
import { startLooking, type LookEngine } from './looking.ts'

export interface LookRuns {
  start(order: LookOrder | CountOrder): void
  /** Ends all looks. */
  stop(): void
}

interface LookRunsDeps extends CountDeps {
  readonly engine: LookEngine
  /** Compose projects of the stagelets of this agent. */
  readonly projects: () => ReadonlySet<string>
  readonly folders: AllowedFolders
  readonly client: Pick<ControllerClient, 'post'>
  readonly clock: Clock
  readonly log: Logger
}

const mostWaiting = 4

type Outcome = Omit<TaskReport, 'id'>
type Asked = LookOrder | CountOrder

export const createLookRuns = (deps: LookRunsDeps): LookRuns => {
  const ending = new AbortController()
  const starters = {
    lookFor: inTurn((order: LookOrder) => lookThrough(deps, order, ending.signal)),
    countPrinted: inTurn((order: CountOrder) => countPrinted(deps, order, ending.signal)),
  }
  const outcomeOf = (order: Asked): Promise<Outcome> =>
    order.type === 'lookFor' ? starters.lookFor(order) : starters.countPrinted(order)
  return {
    start: (order) => {
      outcomeOf(order)
        .then((outcome) => postReport(deps, { id: order.id, ...outcome }, ending.signal))
        .catch((error: unknown) => deps.log.warn({ reason: messageOf(error) }, 'a look broke off'))
    },
    stop: () => ending.abort(),
  }
}

/** Runs one after the other. Whoever asks for one too many is told so at once. */
const inTurn = <T>(run: (order: T) => Promise<Outcome>): ((order: T) => Promise<Outcome>) => {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return (order) => {
    if (waiting >= mostWaiting)
      return Promise.resolve({
        fault: {
          kind: 'Failed',
          message: `${mostWaiting} others wait for this machine: try again`,
        },
      })
    waiting += 1
    const mine = last
      .then(() => run(order))
      .finally(() => {
        waiting -= 1
      })
    last = mine
    return mine
  }
}

/** Never rejects. */
const lookThrough = async (
  deps: LookRunsDeps,
  order: LookOrder,
  signal: AbortSignal,
): Promise<Outcome> => {
  const { containersOnly, values } = order
  try {
    const looking = startLooking({ ...deps, projects: deps.projects(), signal }, order)
    const mounted = await lookInContainers(looking)
    // An end rests on it: what was not looked at is not known.
    if (containersOnly && looking.isOver())
      throw new Error(`not all containers were looked at within ${lookLimitMs / 1000} s`)
    if (!containersOnly) {
      await lookInLogs(looking)
      await lookInImages(looking)
      await lookInFiles(looking, deps.folders)
    }
    await lookInMounts(looking, mounted)
    const found = boundedAnswer(looking.answer())
    deps.log.info({ places: found.places.length }, 'the machine was looked through')
    return { found }
  } catch (error) {
    const masker = createMasker(values.map(({ value }) => Buffer.from(value, 'base64')))
    const message = masker.mask(messageOf(error)).slice(0, 2_000)
    return { fault: { kind: 'Failed', message } }
  }
}
