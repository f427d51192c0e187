// Compose stacks of the bench: small idle services, and what the engine says of them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { run } from '../../scripts/lib/processes.ts'

export const benchImage = 'stagely-bench/idle:1'
export const benchImageScript = `trap 'exit 0' TERM INT; sleep 2147483647 & wait`

/** Services and what each depends on. */
export type Services = Readonly<Record<string, readonly string[]>>

export interface Stack {
  readonly name: string
  readonly directory: string
  readonly project: string
  readonly services: Services
}

export const createStack = (dir: string, name: string, services: Services): Stack => {
  const directory = join(dir, name)
  mkdirSync(directory, { recursive: true })
  const lines = Object.entries(services).flatMap(([service, needs]) => [
    `  ${service}:`,
    `    image: ${benchImage}`,
    ...(needs.length === 0 ? [] : [`    depends_on: [${needs.join(', ')}]`]),
  ])
  writeFileSync(join(directory, 'docker-compose.yml'), `services:\n${lines.join('\n')}\n`)
  return { name, directory, project: `stagely-bench-${process.pid}-${name}`, services }
}

export const removeStack = async ({ project }: Stack): Promise<void> => {
  await run('docker', ['compose', '-p', project, 'down', '--timeout', '2'])
}

export interface RunningContainer {
  readonly id: string
  readonly startedAt: string
  /** A job that has ended. */
  readonly isDone: boolean
}

/** By service, each one's sorted by number. */
export const containersOf = async ({
  project,
}: Pick<Stack, 'project'>): Promise<Map<string, RunningContainer[]>> => {
  const filter = `label=com.docker.compose.project=${project}`
  const ids = (await run('docker', ['ps', '-aq', '--no-trunc', '--filter', filter])).stdout
  const list = ids.split('\n').filter((id) => id !== '')
  const found = new Map<string, RunningContainer[]>()
  if (list.length === 0) return found
  const { stdout } = await run('docker', ['inspect', ...list])
  const inspected = JSON.parse(stdout) as {
    Id: string
    Name: string
    State: { Status: string; StartedAt: string }
    Config: { Labels: Record<string, string> }
  }[]
  for (const { Id: id, State: state, Config } of inspected.sort((a, b) =>
    a.Name < b.Name ? -1 : 1,
  )) {
    const service = Config.Labels['com.docker.compose.service'] ?? ''
    const container = { id, startedAt: state.StartedAt, isDone: state.Status === 'exited' }
    found.set(service, [...(found.get(service) ?? []), container])
  }
  return found
}

export interface StartWatch {
  /** Resolves with the time (performance.now) at which a container of `service` in `project` starts next. */
  next(project: string, service: string): Promise<number>
  /** How often each service of `project` was started since the last call. */
  count(project: string): Map<string, number>
  close(): void
}

interface DockerEvent {
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> }
}

/** Follows the engine's `start` events, which reach a reader within a millisecond or two. */
export const watchStarts = (socketPath = '/var/run/docker.sock'): StartWatch => {
  const waiting = new Map<string, (at: number) => void>()
  const counted = new Map<string, Map<string, number>>()
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start'] }))
  const sent = request({ socketPath, path: `/events?filters=${filters}` }, (response) => {
    let rest = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const at = performance.now()
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines.filter((l) => l !== '')) {
        const labels = (JSON.parse(line) as DockerEvent).Actor.Attributes
        const project = labels['com.docker.compose.project'] ?? ''
        const service = labels['com.docker.compose.service'] ?? ''
        const counts = counted.get(project)
        counts?.set(service, (counts.get(service) ?? 0) + 1)
        const key = `${project}/${service}`
        waiting.get(key)?.(at)
        waiting.delete(key)
      }
    })
    // Ended by close() below.
    response.on('error', () => undefined)
  })
  sent.on('error', () => undefined)
  sent.end()
  return {
    next: (project, service) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`${service} of ${project} was not started within 60 s`))
        }, 60_000)
        waiting.set(`${project}/${service}`, (at) => {
          clearTimeout(timer)
          resolve(at)
        })
      }),
    count: (project) => {
      const counts = counted.get(project) ?? new Map<string, number>()
      counted.set(project, new Map())
      return counts
    },
    close: () => {
      sent.destroy()
    },
  }
}
