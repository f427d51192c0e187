// Counts which secrets the containers of a stack have printed, in the last lines of each of their logs. Only names of
// keys and numbers are kept and sent: see src/protocol/printed.ts.
import { defined } from '../../src/kernel/defined.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { createHitCounter, type HitCounter } from '../../src/masking/hit-counter.ts'
import type { KeyedValue } from '../../src/masking/keyed-search.ts'
import { lookLimitMs } from '../../src/protocol/look.ts'
import {
  mostCountedBytes,
  type CountOrder,
  type PrintedAnswer,
  type PrintedService,
} from '../../src/protocol/printed.ts'
import type { TaskReport } from '../../src/protocol/tasks.ts'
import type { ContainerSummary, Engine } from '../docker/engine.ts'
import { readFrames } from '../logs/frames.ts'
import { isOfService, serviceOf, type LogRefusal, type LogSource } from '../logs/project-log.ts'

/** The logs of a stagelet, and what to look for in them. */
export interface PrintedSource extends LogSource {
  readonly values: () => readonly KeyedValue[]
  /** Keys that a service sees, whose values are too short to be found. */
  readonly unmaskableOf: (service: string) => string[]
}

interface Bounds {
  readonly bytes: number
  readonly ms: number
}

export interface CountDeps {
  readonly engine: Pick<Engine, 'listContainers' | 'openLog'>
  readonly clock: Clock
  /** undefined where the stagelet is not this agent's. */
  readonly sourceOf: (stageletUid: string) => PrintedSource | LogRefusal | undefined
  /** For tests. */
  readonly bounds?: Partial<Bounds>
}

interface Counting {
  readonly counter: HitCounter
  readonly isOver: () => boolean
  readonly services: Map<string, Service>
  readonly signal: AbortSignal
  bytes: number
  complete: boolean
}

interface Service {
  lines: number
  readonly hits: Map<string, number>
  fault: string | undefined
}

const failed = (message: string): Omit<TaskReport, 'id'> => ({ fault: { kind: 'Failed', message } })

/** Never rejects. */
export const countPrinted = async (
  deps: CountDeps,
  order: CountOrder,
  stopping: AbortSignal,
): Promise<Omit<TaskReport, 'id'>> => {
  const source = deps.sourceOf(order.stageletUid)
  if (source === undefined || 'refused' in source)
    return failed(
      `the agent reads no logs of this stack: ${source?.refused ?? 'the stagelet is not its own'}`,
    )
  const either = linkedAbort(stopping, source.ended)
  try {
    const printed = await countAll(deps, source, order, either.signal)
    return source.ended.aborted ? failed('the stack is no longer the stagelet’s') : { printed }
  } catch (error) {
    return failed(source.masker().mask(messageOf(error)))
  } finally {
    either.abort()
  }
}

/** One container after the other: a count is in no hurry, and the machine has other work. */
const countAll = async (
  { engine, clock, bounds }: CountDeps,
  source: PrintedSource,
  order: CountOrder,
  signal: AbortSignal,
): Promise<PrintedAnswer> => {
  const { bytes, ms } = { bytes: mostCountedBytes, ms: lookLimitMs, ...bounds }
  const endMs = clock.monotonic() + ms
  const counting: Counting = {
    counter: createHitCounter(source.values()),
    isOver: () => {
      if (!signal.aborted && counting.bytes < bytes && clock.monotonic() < endMs) return false
      counting.complete = false
      return true
    },
    services: new Map(),
    signal,
    bytes: 0,
    complete: true,
  }
  for (const container of await engine.listContainers(source.project)) {
    if (!isOfService(container)) continue
    const name = serviceOf(container)
    const service = counting.services.get(name) ?? { lines: 0, hits: new Map(), fault: undefined }
    counting.services.set(name, service)
    if (counting.isOver()) continue
    try {
      await countOne(engine, container, order, { counting, service })
    } catch (error) {
      service.fault = `its log cannot be read: ${source.masker().mask(messageOf(error))}`
    }
  }
  return { services: shown(counting, source), complete: counting.complete }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1

const shown = ({ services }: Counting, source: PrintedSource): PrintedService[] =>
  [...services].sort(byName).map(([name, { lines, hits, fault }]) => ({
    name,
    lines,
    hits: [...hits].sort(byName).map(([key, count]) => ({ key, count })),
    unmaskable: source.unmaskableOf(name),
    ...defined({ fault }),
  }))

const newlineByte = 10

const countOne = async (
  engine: CountDeps['engine'],
  { Id: id }: ContainerSummary,
  { tail }: CountOrder,
  { counting, service }: { counting: Counting; service: Service },
): Promise<void> => {
  const log = await engine.openLog(id, { tail, follow: false }, counting.signal)
  if (log === undefined) {
    service.fault =
      'the engine gives no log of it: it may be gone, or its logging driver keeps none'
    return
  }
  const streams = { stdout: counting.counter.stream(), stderr: counting.counter.stream() }
  try {
    for await (const { stream, bytes } of readFrames(log)) {
      streams[stream].write(bytes)
      service.lines += bytes.at(-1) === newlineByte ? 1 : 0
      counting.bytes += bytes.length
      if (counting.isOver()) break
    }
  } finally {
    for (const stream of Object.values(streams)) {
      stream.end()
      for (const [key, count] of stream.hits)
        service.hits.set(key, (service.hits.get(key) ?? 0) + count)
    }
  }
}
