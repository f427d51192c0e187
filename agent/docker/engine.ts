// A small client of the Docker Engine API over its unix socket. A kept connection answers in a millisecond, where a
// `docker` command takes twenty.
import { StringDecoder } from 'node:string_decoder'
import { Agent, type IncomingMessage } from 'node:http'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError, messageOf } from '../../src/kernel/errors.ts'
import { readAllBytes, httpRequest } from '../../src/kernel/request.ts'
import { execIn, type ExecInContainer, type ExecOutcome } from './exec.ts'
import { demultiplex } from './demultiplex.ts'
import { configsOfEngine, type ConfigsOfEngine } from './configs.ts'
import { mountsOfEngine, type MountsOfEngine } from './mounts.ts'

export interface ContainerSummary {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
  readonly State: string
  readonly Status: string
  readonly ImageID?: string
  /** Seconds since the epoch. */
  readonly Created: number
  readonly Ports?: readonly {
    readonly IP?: string
    readonly PublicPort?: number
    readonly Type: string
  }[]
}

interface HealthState {
  readonly Status: string
  /** Checks that failed since the last good one. */
  readonly FailingStreak?: number
  readonly Log?:
    | readonly {
        readonly Start?: string
        readonly End?: string
        readonly ExitCode: number
        readonly Output: string
      }[]
    | null
}

export interface ContainerDetails {
  readonly Id: string
  readonly Created?: string
  readonly RestartCount: number
  readonly State: {
    readonly Status: string
    readonly ExitCode: number
    readonly Error: string
    /** Kept until the container is started again. */
    readonly OOMKilled: boolean
    readonly StartedAt: string
    readonly FinishedAt?: string
    readonly Health?: HealthState | null
  }
  readonly Config: {
    readonly Tty: boolean
    /** `NAME=value`; holds secrets. */
    readonly Env?: readonly string[] | null
    readonly Cmd?: readonly string[] | null
    readonly Entrypoint?: readonly string[] | null
    /** Name of the image when the container was made. */
    readonly Image?: string
    /** Durations in nanoseconds; 0 or absent means Docker's default. */
    readonly Healthcheck?: {
      readonly Interval?: number
      readonly Timeout?: number
      readonly StartPeriod?: number
      readonly Retries?: number
    } | null
  }
  readonly HostConfig: {
    readonly RestartPolicy: { readonly Name: string }
    /** Limit in bytes; 0 for none. */
    readonly Memory?: number
    /** `container:ID` where the namespace is another container's. */
    readonly NetworkMode?: string
    readonly IpcMode?: string
    readonly PidMode?: string
    /** Such as `ID:rw`. */
    readonly VolumesFrom?: readonly string[] | null
  }
}

interface ContainerPlace {
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<
      Record<string, { readonly IPAddress?: string; readonly GlobalIPv6Address?: string }>
    > | null
  }
  readonly Mounts?:
    readonly { readonly Destination: string; readonly RW: boolean; readonly Type: string }[] | null
}

export interface EngineEvent {
  readonly Action: string
  /** When it happened, in ns. */
  readonly timeNano?: number
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}

export interface Engine extends MountsOfEngine, ConfigsOfEngine {
  version(): Promise<string>
  /** All containers of a Compose project, stopped ones too. */
  listContainers(project: string): Promise<ContainerSummary[]>
  /** All containers of the engine, stopped ones too. */
  listAllContainers(): Promise<ContainerSummary[]>
  /** undefined when there is no such container. */
  inspect(id: string): Promise<(ContainerDetails & ContainerPlace) | undefined>
  /** The last lines of stdout and stderr together. Unmasked. */
  logs(id: string, tail: number): Promise<string>
  /**
   * The log of a container as the engine sends it, with timestamps: frames, or raw where it has a tty.
   * Ends when the container does. undefined when there is no such container, or no log to read.
   */
  openLog(id: string, options: LogOptions, signal: AbortSignal): Promise<EngineLog | undefined>
  /** Undefined when the image is not on this machine. */
  imageId(name: string): Promise<string | undefined>
  start(id: string): Promise<void>
  /** Stops a container; by force after its stop timeout. */
  stop(id: string): Promise<void>
  /** Removes a container, also a running one. Conflict: somebody else is removing it. */
  remove(id: string): Promise<void>
  /** Conflict: another container has that name. */
  rename(id: string, name: string): Promise<void>
  /** Runs a program in a container to its end. ServiceUnavailable: it was not run, or broke off. */
  exec(id: string, request: ExecInContainer): Promise<ExecOutcome>
  /** The events of a project's containers that the engine still has: some of its last 256. */
  pastEvents(project: string, actions: readonly string[]): Promise<EngineEvent[]>
  /** Calls back for each event until `signal` aborts; rejects when the stream ends. */
  events(
    filters: EventFilters,
    onEvent: (event: EngineEvent) => void,
    signal: AbortSignal,
  ): Promise<void>
}

export interface LogOptions {
  /** `seconds.nanoseconds`; lines of that time are included. */
  readonly since?: string
  /** Last lines; absent: all. */
  readonly tail?: number
  readonly follow: boolean
}

export interface EngineLog {
  readonly tty: boolean
  readonly bytes: AsyncIterable<Buffer>
}

interface EventFilters {
  readonly label: readonly string[]
  readonly event: readonly string[]
  /** Called once the engine has accepted the subscription. */
  readonly onOpen: () => void
}

const unavailable = (socketPath: string, error: unknown): StagelyError =>
  new StagelyError(
    'ServiceUnavailable',
    `the Docker engine does not answer at ${socketPath}: ${messageOf(error)}`,
    {},
    error,
  )

const query = (params: Record<string, string>): string => new URLSearchParams(params).toString()

const logQuery = ({ since, tail, follow }: LogOptions): string =>
  query({
    stdout: '1',
    stderr: '1',
    timestamps: '1',
    follow: follow ? '1' : '0',
    tail: tail === undefined ? 'all' : String(tail),
    ...defined({ since }),
  })

type Call = (method: string, path: string) => Promise<Buffer | undefined>
type Get = <T>(path: string) => Promise<T | undefined>

const getWith =
  (call: Call): Get =>
  async <T>(path: string) => {
    const body = await call('GET', path)
    return body === undefined ? undefined : (JSON.parse(body.toString('utf8')) as T)
  }

/** Yields each non-empty line without its newline; a last one without newline too. */
const splitLines = async function* (
  stream: AsyncIterable<Buffer>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of stream) {
    const parts = (rest + decoder.write(chunk)).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) if (part.trim() !== '') yield part
  }
  if (rest.trim() !== '') yield rest
}

const pastEventsBy =
  (get: Get, call: Call): Engine['pastEvents'] =>
  async (project, event) => {
    const label = [`com.docker.compose.project=${project}`]
    const filters = JSON.stringify({ type: ['container'], label, event })
    // By the engine's clock: with a later time, it would wait for more.
    const info = await get<{ SystemTime: string }>('/info')
    const until = (Date.parse(info?.SystemTime ?? '') / 1000).toFixed(3)
    const body = await call('GET', `/events?${query({ filters, since: '0', until })}`)
    const lines = (body?.toString('utf8') ?? '').split('\n').filter((line) => line.trim() !== '')
    return lines.map((line) => JSON.parse(line) as EngineEvent)
  }

/** A client of the engine at `socketPath`. Errors are StagelyError ServiceUnavailable, Conflict or InternalError. */
export const createEngine = (socketPath: string): Engine => {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })

  const open = async (
    method: string,
    path: string,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> => {
    const own = signal === undefined ? { agent, timeout: 30_000 } : { agent: false, signal }
    const options = { method, headers: { Host: 'docker' }, ...own }
    try {
      return await httpRequest({ socketPath, path }, options)
    } catch (error) {
      throw unavailable(socketPath, error)
    }
  }

  /** undefined for 404. */
  const call = async (method: string, path: string): Promise<Buffer | undefined> => {
    const response = await open(method, path)
    const body = await readAllBytes(response)
    const status = response.statusCode ?? 0
    if (status === 404) return undefined
    if (status >= 400)
      throw new StagelyError(
        status === 409 ? 'Conflict' : 'InternalError',
        `the Docker engine answered ${status} to ${method} ${path.split('?')[0] ?? ''}`,
      )
    return body
  }

  const get = getWith(call)

  return {
    version: async () => (await get<{ Version: string }>('/version'))?.Version ?? '',
    listContainers: async (project) => {
      const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`] })
      return (
        (await get<ContainerSummary[]>(`/containers/json?${query({ all: '1', filters })}`)) ?? []
      )
    },
    listAllContainers: async () => (await get<ContainerSummary[]>('/containers/json?all=1')) ?? [],
    inspect: (id) => get<ContainerDetails & ContainerPlace>(`/containers/${id}/json`),
    logs: async (id, tail) => {
      const tty = (await get<ContainerDetails>(`/containers/${id}/json`))?.Config.Tty ?? false
      const params = query({ stdout: '1', stderr: '1', tail: String(tail) })
      const body = (await call('GET', `/containers/${id}/logs?${params}`)) ?? Buffer.alloc(0)
      return tty ? body.toString('utf8') : demultiplex(body)
    },
    openLog: async (id, options, signal) => {
      const details = await get<ContainerDetails>(`/containers/${id}/json`)
      if (details === undefined) return undefined
      const response = await open('GET', `/containers/${id}/logs?${logQuery(options)}`, signal)
      if (response.statusCode === 200) return { tty: details.Config.Tty, bytes: response }
      response.resume()
      return undefined
    },
    imageId: async (name) => (await get<{ Id: string }>(`/images/${name}/json`))?.Id,
    ...mountsOfEngine(get, call),
    ...configsOfEngine(get),
    start: async (id) => {
      await call('POST', `/containers/${id}/start`)
    },
    stop: async (id) => {
      await call('POST', `/containers/${id}/stop`)
    },
    remove: async (id) => {
      await call('DELETE', `/containers/${id}?${query({ force: '1', v: '0' })}`)
    },
    rename: async (id, name) => {
      await call('POST', `/containers/${id}/rename?${query({ name })}`)
    },
    exec: (id, what) => execIn({ socketPath, get }, id, what),
    pastEvents: pastEventsBy(get, call),
    events: async ({ label, event, onOpen }, onEvent, signal) => {
      const filters = JSON.stringify({ type: ['container'], label, event })
      const response = await open('GET', `/events?${query({ filters })}`, signal)
      onOpen()
      for await (const line of splitLines(response)) onEvent(JSON.parse(line) as EngineEvent)
      throw unavailable(socketPath, new Error('the event stream ended'))
    },
  }
}
