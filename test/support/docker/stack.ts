// A real Compose stack of a test: its folder, its containers, and what is inside them.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findCompose } from '../../../src/compose/compose.ts'
import { baseEnvironment } from '../../../src/compose/environment.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { askEngine, containersOfProject, followEvents, removeProject } from './engine-api.ts'
import { treeChanges, treeOf } from '../tree.ts'

const run = promisify(execFile)

export const testImage = 'stagely-test/busybox:1'

/** Idles, and ends at once on SIGTERM. */
export const idle = `["sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"]`

/**
 * Lines of a service that no network is tested with. To make a network of its own is a third of what a container costs the
 * engine, also where it is one without addresses. The name is its own: see `environmentOf`.
 */
export const onHost = (name: string): string => `    network_mode: host\n    hostname: ${name}\n`

/** Without a network of its own, unless `extra` needs one. */
export const idleService = (name: string, extra = ''): string => {
  const network = /^ {4}(network|ports)/m.test(extra) ? '' : onHost(name)
  return `  ${name}:\n    image: ${testImage}\n    command: ${idle}\n${network}${extra}`
}

export interface Container {
  readonly id: string
  readonly startedAt: string
  readonly label: string
}

interface ContainerEvent {
  readonly action: string
  readonly service: string
  readonly id: string
  readonly atMs: number
}

export interface Stack {
  readonly directory: string
  readonly project: string
  write(compose: string): Promise<void>
  /** Says that what is in the folder now is the user's own: what he wrote besides the compose file. */
  keepTree(): Promise<void>
  /** Throws where anything in the folder differs from what the user wrote: nothing is left there, ever. */
  checkTree(): Promise<void>
  containers(): Promise<Record<string, Container>>
  /** The environment of PID 1, without what the image and the shell set. */
  environmentOf(service: string): Promise<Record<string, string>>
  /** What the engine told of the project's containers since `since` (unix seconds), in order. */
  eventsSince(since: number, actions: readonly string[]): Promise<ContainerEvent[]>
  docker(...args: string[]): Promise<string>
  /** Compose as a person runs it in the folder. Its binary is started directly: `docker compose` would start it twice. */
  compose(...args: string[]): Promise<string>
  /** Takes down this project only, and looks for the last time at the folder: see checkTree. */
  remove(): Promise<void>
}

interface Inspected {
  readonly Id: string
  readonly State: {
    readonly StartedAt: string
    readonly Pid: number
    readonly Running: boolean
    readonly Health?: { readonly Log: { readonly ExitCode: number; readonly End: string }[] | null }
  }
  readonly Config: {
    readonly Hostname: string
    readonly Labels: Readonly<Record<string, string>>
    readonly Env: readonly string[]
  }
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>
  }
}

export const serviceOf = ({ Config }: Inspected): string =>
  Config.Labels['com.docker.compose.service'] ?? ''

/** Without those that go while they are looked at. */
export const inspectProject = async (project: string): Promise<Inspected[]> => {
  const listed = await containersOfProject(project)
  const found = await Promise.all(
    listed.map(({ Id }) => askEngine<Inspected>(`/containers/${Id}/json`)),
  )
  return found.filter((container) => container !== undefined)
}

const fromElsewhere = new Set(['PATH', 'HOSTNAME', 'HOME', 'PWD', 'SHLVL'])

/** An engine under load answers late; one that never answers is said by name, before the test is over. */
const bounded = { timeout: 90_000, killSignal: 'SIGKILL', maxBuffer: 1 << 24 } as const

export const createStack = async (compose: string): Promise<Stack> => {
  const directory = await mkdtemp(join(tmpdir(), 'stagely-stack-'))
  const project = `stagely-t-${randomBytes(4).toString('hex')}`
  const docker = async (...args: string[]): Promise<string> =>
    (await run('docker', args, bounded)).stdout
  const ofStack = ['-p', project, '--project-directory', directory]
  await mkdir(directory, { recursive: true })

  const events = await followEvents(project)
  let tree: readonly string[] = []
  const stack: Stack = {
    directory,
    project,
    docker,
    compose: async (...args) =>
      (
        await run(
          (await findCompose(baseEnvironment(process.env)))!,
          [...ofStack, ...args],
          bounded,
        )
      ).stdout,
    write: async (text) => {
      if (tree.length > 0) await stack.checkTree()
      await writeFile(join(directory, 'docker-compose.yml'), text)
      await stack.keepTree()
    },
    keepTree: async () => {
      tree = await treeOf(directory)
    },
    checkTree: async () => {
      const changes = treeChanges(tree, await treeOf(directory))
      if (changes.length > 0)
        throw new Error(`the user’s folder ${directory} was changed:\n${changes.join('\n')}`)
    },
    containers: async () => {
      const inspected = await inspectProject(project)
      return Object.fromEntries(
        inspected.map((c) => [
          serviceOf(c),
          {
            id: c.Id,
            startedAt: c.State.StartedAt,
            label: c.Config.Labels['dev.stagely.digest'] ?? '',
          },
        ]),
      )
    },
    environmentOf: async (service) => {
      const container = (await inspectProject(project)).findLast((c) => serviceOf(c) === service)
      if (container === undefined) throw new Error(`no container of ${service}`)
      const { Id: id, State, Config } = container
      // Its PID 1 has another number here, where root may read the same; a look inside is a process.
      const read = async (): Promise<string[]> => {
        const environ = await readFile(`/proc/${State.Pid || 'none'}/environ`, 'utf8').catch(() =>
          docker('exec', id, 'cat', '/proc/1/environ'),
        )
        return environ.split('\0').filter(Boolean)
      }
      // For a moment after the start, PID 1 still runs the runtime, with the runtime's environment.
      const isStarted = (lines: readonly string[]): boolean =>
        lines.includes(`HOSTNAME=${Config.Hostname}`)
      let lines = await read()
      for (let tries = 0; tries < 100 && !isStarted(lines); tries += 1) {
        await realClock.sleep(20)
        lines = await read()
      }
      const pairs = lines.map((line) => {
        const at = line.indexOf('=')
        return [line.slice(0, at), line.slice(at + 1)] as const
      })
      return Object.fromEntries(pairs.filter(([key]) => !fromElsewhere.has(key)))
    },
    eventsSince: async (since, actions) =>
      (await events.since(since))
        .map(({ Action: action, Actor: { ID: id, Attributes }, timeNano }) => ({
          action,
          atMs: timeNano / 1e6,
          service: Attributes['com.docker.compose.service'] ?? '',
          id,
        }))
        .filter(({ action }) => actions.some((a) => action === a || action.startsWith(`${a}:`))),
    remove: async () => {
      events.stop()
      await removeProject(project).catch(() => undefined)
      try {
        // A test may have removed the folder itself.
        const isThere = await access(directory).then(
          () => true,
          () => false,
        )
        if (isThere) await stack.checkTree()
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },
  }
  await stack.write(compose)
  return stack
}

/** Names of the services whose container is another one than before. */
export const recreatedBetween = (
  before: Record<string, Container>,
  after: Record<string, Container>,
): string[] =>
  Object.keys(after)
    .filter((s) => after[s]?.id !== before[s]?.id || after[s]?.startedAt !== before[s]?.startedAt)
    .sort()

/** How many containers of the project were created since `since` (unix seconds), by service. */
export const creationsSince = async (
  stack: Stack,
  since: number,
): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { service } of await stack.eventsSince(since, ['create']))
    counts[service] = (counts[service] ?? 0) + 1
  return counts
}
