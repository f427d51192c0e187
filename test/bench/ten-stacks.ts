// The ten stacks that the changes are made to: built like published ones, all on one agent.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from '../../scripts/lib/processes.ts'
import { featureStacks, newerStacks } from '../support/docker/feature-stacks.ts'
import { lookAlikes } from '../support/agents/look-alikes.ts'
import { moreLookAlikes } from '../support/agents/more-look-alikes.ts'
import type { PeopleStack } from '../support/docker/people-stacks.ts'
import { isAtRest, manifest, secretManifest } from './client.ts'
import type { World } from './world.ts'

/** What the files say of a service. */
interface Service {
  readonly dependsOn: readonly string[]
  /** Holds the id of their containers. */
  readonly sharesWith: readonly string[]
  /** Is restarted after these (`restart: true`). */
  readonly restartsAfter: readonly string[]
}

export interface LiveStack {
  readonly name: string
  readonly project: string
  readonly services: ReadonlyMap<string, Service>
  /** Name of the secret → the service that sees it, or `global`. */
  readonly secrets: ReadonlyMap<string, string>
}

const names = [
  'frappe',
  'n8n-workers',
  'mailu',
  'shared-network',
  'nextcloud',
  'airflow',
  'extends',
  'jitsi',
  'network-links',
]

/** A Compose that knows hooks gets them as the tenth. */
const tenNames = (knowsHooks: boolean): string[] => [...names, knowsHooks ? 'hooks' : 'profiles']

const findStacks = (wanted: readonly string[]): PeopleStack[] => {
  const all = [...lookAlikes, ...moreLookAlikes, ...featureStacks, ...newerStacks]
  return wanted.map((name) => {
    const found = all.find((s) => s.name === name)
    if (found === undefined) throw new Error(`no stack is called ${name}`)
    return found
  })
}

interface RawService {
  readonly depends_on?: Readonly<Record<string, { readonly restart?: boolean }>>
  readonly network_mode?: string
  readonly ipc?: string
  readonly pid?: string
  readonly volumes_from?: readonly string[]
  readonly links?: readonly string[]
}

const toService = (raw: RawService): Service => {
  const { depends_on: needs = {}, network_mode: network = '', ipc = '', pid = '' } = raw
  const first = (text: string): string => text.split(':')[0] ?? ''
  const modes = [network, ipc, pid].filter((mode) => mode.startsWith('service:'))
  const links = network === 'bridge' ? (raw.links ?? []) : []
  return {
    dependsOn: Object.keys(needs),
    sharesWith: [
      ...modes.map((mode) => mode.slice('service:'.length)),
      ...[...(raw.volumes_from ?? []), ...links].map(first),
    ],
    restartsAfter: Object.keys(needs).filter((name) => needs[name]?.restart === true),
  }
}

const readServices = async (
  compose: string,
  directory: string,
): Promise<ReadonlyMap<string, Service>> => {
  const { stdout, stderr } = await run(compose, ['config', '--format', 'json'], { cwd: directory })
  if (stdout === '') throw new Error(`docker compose config: ${stderr}`)
  const { services } = JSON.parse(stdout) as { services: Record<string, RawService> }
  return new Map(Object.entries(services).map(([name, raw]) => [name, toService(raw)]))
}

const write = async (directory: string, { files }: PeopleStack): Promise<void> => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
}

/** Makes them, or only those that are named, each with two secrets for all of its services and one for each. */
export const startTenStacks = async (
  world: World,
  only: readonly string[] = tenNames(world.compose.knowsHooks),
): Promise<LiveStack[]> => {
  const live: LiveStack[] = []
  const objects: string[] = []
  for (const stack of findStacks(only)) {
    const name = `like-${stack.name}`
    const directory = join(world.paths.dir, name)
    const project = `stagely-bench-${process.pid}-${name}`
    await write(directory, stack)
    const services = await readServices(world.compose.binary, directory)
    const scopes = ['global', 'global', ...services.keys()]
    const secrets = new Map(scopes.map((scope, i) => [`${name}-secret-${i}`, scope]))
    live.push({ name, project, services, secrets })
    objects.push(
      manifest('Project', name, {}),
      ...[...secrets].map(([secret, scope]) =>
        secretManifest({ name: secret, scope, project: name, value: `first of ${secret}` }),
      ),
      manifest('Stagelet', name, {
        projectRef: { name },
        agentRef: { name: 'bench' },
        compose: { directory, projectName: project },
      }),
    )
  }
  await world.apply(objects)
  await Promise.all(live.map(({ name }) => world.settled(name, patience)))
  return live
}

/** Ten stacks at a time, on two cores. */
export const patience = { timeoutMs: 600_000, everyMs: 200, isMet: isAtRest }

export const removeTenStacks = async (): Promise<void> => {
  const format = '{{.Label "com.docker.compose.project"}}'
  const { stdout } = await run('docker', ['ps', '-a', '--format', format])
  const prefix = `stagely-bench-${process.pid}-like-`
  const projects = new Set(stdout.split('\n').filter((project) => project.startsWith(prefix)))
  for (const project of projects)
    await run('docker', ['compose', '-p', project, 'down', '-v', '--timeout', '2'])
}
