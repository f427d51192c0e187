// What is really there: inside the containers, on the engine, in the folders; and whether that is
// exactly what is declared.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { askEngine } from '../docker/engine-api.ts'
import { services, type Model, type Service } from './model.ts'
import type { Place } from './place.ts'

export interface Seen {
  readonly id: string
  readonly startedAt: string
}

interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly State: { readonly Pid: number; readonly Status: string; readonly StartedAt: string }
  readonly Config: { readonly Labels: Readonly<Record<string, string>> }
  readonly Mounts: readonly { readonly Source: string; readonly Destination: string }[]
}

interface ServiceStatus {
  readonly name: string
  readonly wantedDigest?: string
  readonly runningDigest?: string
}

interface Status {
  readonly wantedRevision?: number
  readonly runningRevision?: number
  readonly services?: readonly ServiceStatus[]
  readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[]
}

/** Every container of the engine, for it is the test's own. */
const inspectAll = async (): Promise<Inspected[]> => {
  const listed = (await askEngine<{ Id: string }[]>('/containers/json?all=true')) ?? []
  const found = await Promise.all(
    listed.map(({ Id }) => askEngine<Inspected>(`/containers/${Id}/json`)),
  )
  return found.filter((container) => container !== undefined)
}

const fromElsewhere = new Set(['PATH', 'HOSTNAME', 'HOME', 'PWD', 'SHLVL'])

/** Of PID 1, read through /proc: what the program in the container got. */
const environmentOf = async (pid: number): Promise<Record<string, string>> => {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8')
  const pairs = text
    .split('\0')
    .filter(Boolean)
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  return Object.fromEntries(pairs.filter(([key]) => !fromElsewhere.has(key)))
}

const sorted = (record: Record<string, string>): string =>
  JSON.stringify(Object.entries(record).sort())

const differencesIn = async (
  service: Service,
  container: Inspected,
  model: Model,
): Promise<string[]> => {
  const { State, Mounts } = container
  if (State.Status !== 'running') return [`${service} is ${State.Status}`]
  const wrong: string[] = []
  const environment = await environmentOf(State.Pid)
  if (sorted(environment) !== sorted(model.environmentOf(service)))
    wrong.push(`${service}: environment has ${Object.keys(environment).sort().join()}`)
  const wanted = model.filesOf(service)
  const files: Record<string, string> = {}
  for (const { Destination } of Mounts)
    files[Destination] = await readFile(`/proc/${State.Pid}/root${Destination}`, 'utf8')
  if (sorted(files) !== sorted(wanted))
    wrong.push(`${service}: files are ${Object.keys(files).sort().join()}`)
  return wrong
}

const statusDifferences = (status: Status, containers: readonly Inspected[]): string[] => {
  const wrong: string[] = []
  for (const type of ['SecretsInSync', 'Ready', 'AgentReachable']) {
    const found = status.conditions?.find((c) => c.type === type)
    if (found?.status !== 'True')
      wrong.push(
        `${type}: ${found?.status ?? 'none'}/${found?.reason ?? ''} ${found?.message ?? ''}`,
      )
  }
  if (status.wantedRevision !== status.runningRevision)
    wrong.push(
      `revision ${status.runningRevision ?? '-'} runs, not ${status.wantedRevision ?? '-'}`,
    )
  for (const { Name, Config } of containers) {
    const service = Config.Labels['com.docker.compose.service'] ?? ''
    const told = status.services?.find((s) => s.name === service)
    const label = Config.Labels['dev.stagely.digest'] ?? ''
    if (label !== (told?.wantedDigest ?? ''))
      wrong.push(`${Name} carries another digest than wanted`)
    if (label !== (told?.runningDigest ?? ''))
      wrong.push(`${Name} carries another digest than told`)
  }
  return wrong
}

/** What differs from the declared state, and from a tidy machine. Empty: nothing. */
export const differences = async (
  place: Place,
  model: Model,
): Promise<{ wrong: string[]; seen: Map<Service, Seen> }> => {
  const { world, stack, filesMount, dataMount, temporary } = place
  const containers = await inspectAll()
  const wrong: string[] = []
  const names = containers.map((c) => c.Name.slice(1)).sort()
  const wanted = services.map((s) => `${stack.project}-${s}-1`).sort()
  if (names.join() !== wanted.join()) wrong.push(`containers are ${names.join()}`)
  const seen = new Map<Service, Seen>()
  for (const service of services) {
    const container = containers.find((c) => c.Name === `/${stack.project}-${service}-1`)
    if (container === undefined) continue
    seen.set(service, { id: container.Id, startedAt: container.State.StartedAt })
    wrong.push(...(await differencesIn(service, container, model)))
  }
  const { status } = (await world.read('stagelets/shop')) as { status?: Status }
  wrong.push(...statusDifferences(status ?? {}, containers))
  const mounted = containers.flatMap((c) => c.Mounts.map((m) => m.Source)).sort()
  const files = (await filesIn(join(filesMount, 'stagely'))).sort()
  if (files.join() !== [...new Set(mounted)].join())
    wrong.push(`${files.length} file secrets lie there, ${mounted.length} are mounted`)
  const strays = (await filesIn(dataMount)).filter((f) => /\.(new|tmp)$|core/.test(f))
  strays.push(...(await filesIn(temporary)))
  if (strays.length > 0) wrong.push(`stray files: ${strays.join()}`)
  if ((await readdir(stack.directory)).join() !== 'docker-compose.yml')
    wrong.push('there are other files in the stack’s folder')
  if ((await readFile(join(stack.directory, 'docker-compose.yml'), 'utf8')) !== place.compose)
    wrong.push('the Compose file has changed')
  return { wrong, seen }
}

/** Paths of all files below a folder; none where it does not exist. */
export const filesIn = async (dir: string): Promise<string[]> => {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((e) => !e.isDirectory()).map((e) => join(e.parentPath, e.name))
}
