// The logs of all containers of a Compose project, also of containers that come while it is followed.
//
// INVARIANTS
// - A container that appears while the logs are followed is read from its first line.
// - After each event of the project every container whose log had ended is read again.
import { after } from '../../src/kernel/async/pause.ts'
import { background, logFault } from '../../src/kernel/async/background.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { Masker } from '../../src/masking/masker.ts'
import type { LogLine, LogsOrder } from '../../src/protocol/logs.ts'
import type { ContainerSummary, Engine } from '../docker/engine.ts'
import { lastingName } from '../observed/container.ts'
import type { EventHub } from '../docker/event-hub.ts'
import { createContainerLog, type ContainerLog } from './container-log.ts'

export interface ProjectLogDeps {
  readonly engine: Pick<Engine, 'openLog' | 'listContainers'>
  readonly events: Pick<EventHub, 'subscribe'>
  readonly clock: Clock
  readonly log: Logger
}

/** A project, and the masker for its logs. */
export interface LogSource {
  readonly project: string
  readonly masker: () => Masker
  /** Aborts when the stagelet does not have the project any more. */
  readonly ended: AbortSignal
}

export interface LogRefusal {
  readonly refused: string
}

type LogSelection = Pick<LogsOrder, 'services' | 'since' | 'tail'>

interface Reading {
  readonly log: ContainerLog
  isOpen: boolean
}

const label = 'com.docker.compose.'
/** A log that broke off while its container runs is read again after this time. */
const reopenMs = 500

export const serviceOf = ({ Labels: labels }: ContainerSummary): string =>
  labels[`${label}service`] ?? ''

/** Containers of `compose run` belong to no service. */
export const isOfService = ({ Labels: labels }: ContainerSummary): boolean =>
  labels[`${label}oneoff`] !== 'True'

const isWanted = (container: ContainerSummary, { services }: LogSelection): boolean =>
  isOfService(container) && (services === undefined || services.includes(serviceOf(container)))

const openLogOf = (
  deps: ProjectLogDeps,
  { masker }: LogSource,
  container: ContainerSummary,
  first: Parameters<typeof createContainerLog>[2],
): ContainerLog => {
  const { Id: id, Names: names, Labels: labels } = container
  const replaces = labels[`${label}replace`]
  const name = lastingName({ name: (names[0] ?? id).replace(/^\//, ''), replaces })
  const service = serviceOf(container)
  return createContainerLog({ ...deps, masker }, { id, name, service }, first)
}

const firstOf = ({ since, tail }: LogSelection): Parameters<typeof createContainerLog>[2] => ({
  ...(since !== undefined && { since: (since / 1000).toFixed(3) }),
  ...defined({ tail }),
})

/** The lines that exist, of all containers in order of time. Rejects when the engine does not answer. */
export const readProjectLog = async (
  deps: ProjectLogDeps,
  source: LogSource,
  { wish, signal }: { wish: LogSelection; signal: AbortSignal },
  onLine: (line: LogLine) => Promise<void>,
): Promise<void> => {
  const containers = await deps.engine.listContainers(source.project)
  const logs = containers
    .filter((c) => isWanted(c, wish))
    .map((c) => openLogOf(deps, source, c, firstOf(wish)).read(false, signal))
  const heads = await Promise.all(
    logs.map(async (log) => ({ log, line: (await log.next()).value ?? undefined })),
  )
  for (;;) {
    const open = heads.filter((head) => head.line !== undefined)
    const next = open.sort((a, b) => (a.line!.time < b.line!.time ? -1 : 1))[0]
    if (next === undefined || signal.aborted) return
    await onLine(next.line!)
    next.line = (await next.log.next()).value ?? undefined
  }
}

/** The lines that exist and all new ones, until `signal` aborts; resolves then. Rejects when the first read fails. */
export const followProjectLog = async (
  deps: ProjectLogDeps,
  source: LogSource,
  { wish, signal }: { wish: LogSelection; signal: AbortSignal },
  onLine: (line: LogLine) => Promise<void>,
): Promise<void> => {
  const readings = new Map<string, Reading>()
  const nextLook = createLooks(deps.clock, signal)
  const drain = async (id: string, reading: Reading): Promise<void> => {
    reading.isOpen = true
    try {
      for await (const line of reading.log.read(true, signal)) await onLine(line)
    } finally {
      reading.isOpen = false
      nextLook.later(id)
    }
  }
  const stop = deps.events.subscribe(source.project, nextLook.now)
  try {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const { after } = await nextLook.next(isFirst)
      const containers = await deps.engine
        .listContainers(source.project)
        .catch((error: unknown) => {
          if (isFirst) throw error
          return undefined
        })
      if (containers === undefined) continue
      for (const id of readings.keys())
        if (!containers.some((c) => c.Id === id) && !readings.get(id)!.isOpen) readings.delete(id)
      for (const container of containers.filter((c) => isWanted(c, wish))) {
        let reading = readings.get(container.Id)
        const isNew = reading === undefined
        if (reading === undefined) {
          const first = isFirst ? firstOf(wish) : {}
          reading = { log: openLogOf(deps, source, container, first), isOpen: false }
          readings.set(container.Id, reading)
        }
        if (reading.isOpen) continue
        const isDue = isNew || after === 'event' || container.State === 'running'
        if (isDue)
          background(
            () => drain(container.Id, reading),
            logFault(deps.log, 'a log could not be read on'),
          )
      }
    }
  } finally {
    stop()
  }
}

/** Resolves when to look again: at once after an event, and a moment after a log has ended. */
const createLooks = (
  clock: Clock,
  signal: AbortSignal,
): {
  now: () => void
  later: (id: string) => void
  next: (isFirst: boolean) => Promise<{ after: 'event' | 'end' }>
} => {
  let due: 'event' | 'end' | undefined
  let wake: (() => void) | undefined
  const set = (why: 'event' | 'end'): void => {
    if (due !== 'event') due = why
    wake?.()
  }
  signal.addEventListener('abort', () => wake?.(), { once: true })
  return {
    now: () => set('event'),
    later: () => after(clock, reopenMs, signal, () => set('end')),
    next: async (isFirst) => {
      while (!isFirst && due === undefined && !signal.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      const after = due ?? 'event'
      due = undefined
      return { after }
    },
  }
}
