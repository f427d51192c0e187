// The container of a database: which one it is, what runs in it, and where it answers.
import { StepFault } from '../../src/databases/step.ts'
import { realClock, type Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { ContainerDetails, ContainerSummary, Engine } from '../docker/engine.ts'
import type { ExecOutcome } from '../docker/exec.ts'
import { isOfService, serviceOf } from '../logs/project-log.ts'

export type Ran = ExecOutcome

export interface DatabaseContainer {
  /** Runs a program in it. The input is the only place for values. */
  run(command: readonly string[], stdin: string, env?: readonly string[]): Promise<Ran>
  /** The fault where none of the programs that do a step could be started. */
  missing(message: string): Promise<StepFault>
  /** A variable of the container, such as POSTGRES_USER. */
  variable(name: string): string | undefined
  /** Its own address, where no rule for loopback counts. undefined: it has none. */
  readonly address: string | undefined
  /** Arguments that it was started with. */
  readonly command: readonly string[]
  /** Whether a file at this path outlives the container. */
  readonly lasts: (path: string) => boolean
}

/** How late the engine may tell that a container has ended, on a busy machine. */
const engineLagMs = 1_000

const whyNone = (service: string, own: readonly ContainerSummary[]): string => {
  const paused = own.find(({ State: state }) => state === 'paused')
  return paused === undefined
    ? `no container of the service ${service} runs`
    : `the container of the service ${service} is paused: docker unpause ${paused.Names[0]?.replace(/^\//, '') ?? paused.Id}`
}

/** StepFault where no container of the service runs. */
export const findContainer = async (
  engine: Pick<Engine, 'listContainers' | 'inspect' | 'exec'>,
  { project, service }: { readonly project: string; readonly service: string },
  signal: AbortSignal,
  clock: Pick<Clock, 'sleep'> = realClock,
): Promise<DatabaseContainer> => {
  const all = await engine.listContainers(project)
  const own = all.filter((c) => isOfService(c) && serviceOf(c) === service)
  const running = own.find(({ State: state }) => state === 'running')
  const found = running && (await engine.inspect(running.Id))
  if (found === undefined) throw new StepFault('Unreachable', whyNone(service, own))
  const { Id: id, Config: config } = found
  const addresses = Object.values(found.NetworkSettings?.Networks ?? {}).flatMap(
    ({ IPAddress: v4 = '', GlobalIPv6Address: v6 = '' }) => [v4, v6].filter(Boolean),
  )
  const ended = (): StepFault =>
    new StepFault('Unreachable', `the container of the service ${service} ended meanwhile`)
  const unreachable = (error: unknown): never => {
    throw new StepFault('Unreachable', messageOf(error))
  }
  const runsOnLater = async (): Promise<boolean> => {
    await clock.sleep(engineLagMs, signal)
    return await runsOn(engine, found)
  }
  return {
    run: async (command, stdin, env = []) => {
      try {
        const ran = await engine.exec(id, { command, env, stdin, signal })
        if (ran.exitCode === 0) return ran
        if (await (wasKilled(ran) ? runsOnLater() : runsOn(engine, found))) return ran
      } catch (error) {
        return unreachable(error)
      }
      throw ended()
    },
    missing: async (message) =>
      (await runsOnLater().catch(unreachable)) ? new StepFault('Failed', message) : ended(),
    variable: (name) =>
      config.Env?.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1),
    address: addresses[0],
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    lasts: (path) =>
      (found.Mounts ?? []).some(
        ({ Destination: destination, RW: isWritable, Type: type }) =>
          isWritable &&
          type !== 'tmpfs' &&
          (path === destination || path.startsWith(`${destination}/`)),
      ),
  }
}

/** Programs in a container that ends are killed, or never begin: how they end says nothing of the database. */
const runsOn = async (
  engine: Pick<Engine, 'inspect'>,
  { Id: id, State: before }: ContainerDetails,
): Promise<boolean> => {
  const { State: state } = (await engine.inspect(id)) ?? {}
  return state?.Status === 'running' && state.StartedAt === before.StartedAt
}

/** By a signal: 128 and its number. */
const wasKilled = ({ exitCode }: Ran): boolean => exitCode >= 128

/** A program that could not be started: the container does not have it, or has just ended. */
export const isMissing = ({ exitCode }: Ran): boolean => exitCode === 126 || exitCode === 127
