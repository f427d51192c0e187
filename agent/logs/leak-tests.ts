// Counts which secrets the containers of a stack have printed, in the last lines of each of their logs. Only names of
// keys and numbers are kept and sent: see src/protocol/leak-test.ts.
import { defined } from '../../src/kernel/defined.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { pause } from '../../src/kernel/pause.ts'
import { createHitCounter, type HitCounter } from '../../src/masking/hit-counter.ts'
import type { KeyedValue } from '../../src/masking/keyed-search.ts'
import {
  leakTestPulseMs,
  leakTestResponse,
  type LeakTestOrder,
  type LeakTestReport,
  type LeakTestService,
} from '../../src/protocol/leak-test.ts'
import { agentPaths } from '../../src/protocol/messages.ts'
import type { ControllerClient } from '../link/controller-client.ts'
import type { ContainerSummary } from '../docker/engine.ts'
import { readFrames } from './frames.ts'
import {
  isOfService,
  serviceOf,
  type LogRefusal,
  type LogSource,
  type ProjectLogDeps,
} from './project-log.ts'

export interface LeakTestRuns {
  start(order: LeakTestOrder): void
  /** Ends all tests. */
  stop(): void
}

/** The logs of a stagelet, and what to look for in them. */
export interface LeakSource extends LogSource {
  readonly values: () => readonly KeyedValue[]
  /** Keys that a service sees, whose values are too short to be found. */
  readonly unmaskableOf: (service: string) => string[]
}

export interface LeakTestRunsDeps extends Pick<ProjectLogDeps, 'engine' | 'clock' | 'log'> {
  /** undefined where the stagelet is not this agent's. */
  readonly sourceOf: (stageletUid: string) => LeakSource | LogRefusal | undefined
  readonly client: Pick<ControllerClient, 'post'>
  /** For tests. */
  readonly bounds?: Partial<Bounds>
}

interface Bounds {
  /** Bytes of logs that a test reads. */
  readonly bytes: number
  readonly ms: number
}

/** Tests at a time. */
export const maxLeakTests = 2
const defaultBounds: Bounds = { bytes: 256 * 1024 * 1024, ms: 60_000 }
const tries = 6
const retryMs = 500

interface Counting {
  readonly counter: HitCounter
  readonly bounds: Bounds
  readonly endMs: number
  readonly services: Map<string, Service>
  readonly signal: AbortSignal
  lines: number
  bytes: number
  complete: boolean
}

interface Service {
  lines: number
  readonly hits: Map<string, number>
  fault: string | undefined
}

export const createLeakTestRuns = (deps: LeakTestRunsDeps): LeakTestRuns => {
  const open = new Map<string, AbortController>()
  return {
    start: (order) => {
      if (open.has(order.id)) return
      const ending = new AbortController()
      const isTooMany = open.size >= maxLeakTests
      if (!isTooMany) open.set(order.id, ending)
      const run = isTooMany
        ? refuse(deps, order, `this agent runs ${maxLeakTests} leak tests already; try again`)
        : runTest(deps, order, ending)
      run
        .catch((error: unknown) =>
          deps.log.warn({ reason: messageOf(error) }, 'a leak test broke off'),
        )
        .finally(() => {
          ending.abort()
          open.delete(order.id)
        })
    },
    stop: () => {
      for (const ending of open.values()) ending.abort()
    },
  }
}

const refuse = (deps: LeakTestRunsDeps, { id }: LeakTestOrder, error: string): Promise<void> =>
  post(deps, { id, lines: 0, end: { services: [], complete: false, error } })

const runTest = async (
  deps: LeakTestRunsDeps,
  order: LeakTestOrder,
  ending: AbortController,
): Promise<void> => {
  const source = deps.sourceOf(order.stageletUid)
  if (source === undefined || 'refused' in source) {
    const why = source?.refused ?? 'the stagelet is not its own'
    await refuse(deps, order, `the agent reads no logs of this stack: ${why}`)
    return
  }
  const { clock } = deps
  const either = linkedAbort(ending.signal, source.ended)
  const bounds = { ...defaultBounds, ...deps.bounds }
  const counting: Counting = {
    counter: createHitCounter(source.values()),
    bounds,
    endMs: clock.monotonic() + bounds.ms,
    services: new Map(),
    signal: either.signal,
    lines: 0,
    bytes: 0,
    complete: true,
  }
  const over = new AbortController()
  const progress = tellWhileCounting(deps, order, counting, { ending, over: over.signal })
  try {
    await countAll(deps, source, order, counting)
  } catch (error) {
    await refuse(deps, order, source.masker().mask(messageOf(error)))
    return
  } finally {
    over.abort()
    either.abort()
    await progress
  }
  if (ending.signal.aborted) return
  if (source.ended.aborted) {
    await refuse(deps, order, 'the stack is no longer the stagelet’s')
    return
  }
  const { lines, complete } = counting
  await post(deps, { id: order.id, lines, end: { services: shown(counting, source), complete } })
}

const shown = ({ services }: Counting, source: LeakSource): LeakTestService[] =>
  [...services]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { lines, hits, fault }]) => ({
      name,
      lines,
      hits: [...hits].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, count]) => ({ key, count })),
      unmaskable: source.unmaskableOf(name),
      ...defined({ fault }),
    }))

/** Tells at once, and again and again, that the test goes on. Ends the test where nobody waits for it. */
const tellWhileCounting = async (
  deps: LeakTestRunsDeps,
  { id }: LeakTestOrder,
  counting: Counting,
  { ending, over }: { ending: AbortController; over: AbortSignal },
): Promise<void> => {
  while (!over.aborted) {
    const state = await send(deps, { id, lines: counting.lines }).catch(() => 'taken' as const)
    if (state === 'ended') ending.abort()
    await pause(deps.clock, leakTestPulseMs, over)
  }
}

/** One container after the other: a test is in no hurry, and the machine has other work. */
const countAll = async (
  deps: LeakTestRunsDeps,
  source: LeakSource,
  order: LeakTestOrder,
  counting: Counting,
): Promise<void> => {
  for (const container of await deps.engine.listContainers(source.project)) {
    if (!isOfService(container)) continue
    const name = serviceOf(container)
    const service = counting.services.get(name) ?? { lines: 0, hits: new Map(), fault: undefined }
    counting.services.set(name, service)
    if (isOver(deps.clock, counting)) continue
    try {
      await countOne(deps, container, order, { counting, service })
    } catch (error) {
      service.fault = `its log cannot be read: ${source.masker().mask(messageOf(error))}`
    }
  }
}

/** True once a bound is reached, or nobody waits any more. */
const isOver = (clock: Pick<Clock, 'monotonic'>, counting: Counting): boolean => {
  const { bounds, bytes, endMs, signal } = counting
  if (!signal.aborted && bytes < bounds.bytes && clock.monotonic() < endMs) return false
  counting.complete = false
  return true
}

const newlineByte = 10

const countOne = async (
  deps: LeakTestRunsDeps,
  { Id: id }: ContainerSummary,
  { tail }: LeakTestOrder,
  { counting, service }: { counting: Counting; service: Service },
): Promise<void> => {
  const log = await deps.engine.openLog(id, { tail, follow: false }, counting.signal)
  if (log === undefined) {
    service.fault =
      'the engine gives no log of it: it may be gone, or its logging driver keeps none'
    return
  }
  const streams = { stdout: counting.counter.stream(), stderr: counting.counter.stream() }
  try {
    for await (const { stream, bytes } of readFrames(log)) {
      streams[stream].write(bytes)
      const lines = bytes.at(-1) === newlineByte ? 1 : 0
      service.lines += lines
      counting.lines += lines
      counting.bytes += bytes.length
      if (isOver(deps.clock, counting)) break
    }
  } finally {
    for (const stream of Object.values(streams)) {
      stream.end()
      for (const [key, count] of stream.hits)
        service.hits.set(key, (service.hits.get(key) ?? 0) + count)
    }
  }
}

const send = async (
  { client }: LeakTestRunsDeps,
  report: LeakTestReport,
): Promise<'taken' | 'ended'> =>
  leakTestResponse.parse(await client.post({ path: agentPaths.leakTests, body: report })).state

/** The end is worth some tries: a controller that is being restarted answers soon. */
const post = async (deps: LeakTestRunsDeps, report: LeakTestReport): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await send(deps, report)
      return
    } catch (error) {
      if (attempt >= tries) throw error
      await deps.clock.sleep(retryMs)
    }
  }
}
