// The model of one service, made from what Compose tells: names, paths and numbers.
import { createHash } from 'node:crypto'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'

/** A dependency that must be healthy or done first. A dependency that only has to be started does not count. */
export interface StartCondition {
  readonly service: string
  readonly until: 'healthy' | 'done'
}

export interface ServiceModel {
  readonly name: string
  /** Services that it depends on, sorted. */
  readonly dependsOn: readonly string[]
  /** Dependencies that must be healthy or done before it is started. */
  readonly waitsFor: readonly StartCondition[]
  /** Dependencies after whose re-creation it is restarted (`restart: true`). */
  readonly restartsAfter: readonly string[]
  /** Services whose network, IPC or PID namespace, volumes or link it uses: it is re-created with them. */
  readonly sharesWith: readonly string[]
  /** Services among them that it uses by a link on the engine's own bridge, which Compose does not check. */
  readonly linksTo: readonly string[]
  /** Wanted number of containers; undefined where a variable sets it. */
  readonly scale: number | undefined
  readonly containerName: string | undefined
  /** Undefined where Compose builds the image under a name of its own. */
  readonly image: string | undefined
  /** Compose pulls or builds the image each time that it makes the service. */
  readonly refreshes: boolean
  /** Hash of its definition in the files; undefined where Compose cannot tell all of it. */
  readonly definition: string | undefined
  /** Ports of the machine that it publishes, such as `8080/tcp`. */
  readonly ports: readonly string[]
  /** Those among them that it publishes on all addresses of the machine. */
  readonly openPorts: readonly string[]
  /** Absolute paths of its `env_file`s. */
  readonly envFiles: readonly string[]
  /** Names of the variables that its `environment` and its `env_file`s set, sorted; the first hundred. */
  readonly variables: readonly string[]
}

interface RawPort {
  /** Or a range, `8000-8010`. */
  readonly published?: string | number
  readonly host_ip?: string
  readonly protocol?: string
}
interface RawDependency {
  readonly condition?: string
  readonly restart?: boolean
}
export interface RawService {
  readonly depends_on?: Readonly<Record<string, RawDependency>> | readonly string[]
  readonly network_mode?: string
  readonly ipc?: string
  readonly pid?: string
  readonly volumes_from?: readonly string[]
  readonly scale?: unknown
  readonly deploy?: { readonly replicas?: unknown }
  readonly profiles?: readonly string[]
  readonly container_name?: string
  readonly image?: string
  readonly pull_policy?: string
  readonly links?: readonly string[]
  readonly ports?: readonly (string | RawPort)[]
  /** A list where several files set it and variables are left as written. */
  readonly environment?: Readonly<Record<string, unknown>> | readonly string[]
  readonly env_file?: string | readonly (string | { readonly path?: string })[]
}
const namedService = (mode: string | undefined): string[] =>
  mode?.startsWith('service:') === true ? [mode.slice('service:'.length)] : []

const volumesOf = (raw: RawService): string[] =>
  (raw.volumes_from ?? [])
    .filter((v) => !v.startsWith('container:'))
    .map((v) => v.split(':')[0] ?? v)

const toNumber = (value: unknown): number | undefined => {
  if (value === undefined || value === null) return 1
  const number = Number(value)
  return Number.isInteger(number) && number >= 0 ? number : undefined
}

/** Variables in a report, which must stay small. */
const mostVariables = 100

export const unique = (names: readonly string[]): string[] => [...new Set(names)].sort()

const envFilesOf = (raw: RawService): string[] => {
  const files = typeof raw.env_file === 'string' ? [raw.env_file] : (raw.env_file ?? [])
  return files.map((f) => (typeof f === 'string' ? f : (f.path ?? ''))).filter((f) => f !== '')
}

const variablesOf = ({ environment = {} }: RawService): string[] => {
  return Array.isArray(environment)
    ? (environment as readonly string[]).map((entry) => entry.split('=')[0] ?? '')
    : Object.keys(environment)
}

/** Services that it links to on the engine's bridge: such a link has the id of a container. */
const bridgeLinksOf = ({ network_mode: mode, links = [] }: RawService): string[] =>
  mode === 'bridge' ? links.map((link) => link.split(':')[0] ?? link) : []

/** Ports in a range that are looked at. */
const mostPorts = 100

const portsOf = (ports: readonly (string | RawPort)[] = []): string[] =>
  ports.flatMap((port) => {
    if (typeof port === 'string') return []
    const [from = 0, to = from] = String(port.published ?? '')
      .split('-')
      .map(Number)
    const count = from > 0 && to >= from ? Math.min(to - from + 1, mostPorts) : 0
    return Array.from({ length: count }, (_, i) => `${from + i}/${port.protocol ?? 'tcp'}`)
  })

export const onAllAddresses = (ip: string): boolean => ['', '0.0.0.0', '::'].includes(ip)

const localPolicies = [undefined, '', 'missing', 'if_not_present', 'never']

const definitionOf = (name: string, raw: RawService): string =>
  createHash('sha256')
    .update(canonicalJson([name, raw]))
    .digest('hex')

/** `raw` has variables set and env files read in; `written` is as the user wrote it, and names the env files. */
export const toService = (name: string, raw: RawService, written: RawService): ServiceModel => {
  const dependsOn = Array.isArray(raw.depends_on)
    ? raw.depends_on
    : Object.keys(raw.depends_on ?? {})
  const modes = [raw.network_mode, raw.ipc, raw.pid].flatMap(namedService)
  const linksTo = unique(bridgeLinksOf(raw))
  return {
    name,
    dependsOn: unique(dependsOn as string[]),
    waitsFor: waitsOf(raw),
    restartsAfter: restartsAfter(raw).filter((other) => !linksTo.includes(other)),
    sharesWith: unique([...modes, ...volumesOf(raw), ...linksTo]),
    linksTo,
    scale: toNumber(raw.scale ?? raw.deploy?.replicas),
    containerName: raw.container_name,
    image: raw.image,
    refreshes: !localPolicies.includes(raw.pull_policy),
    // The same object: variables are left as written.
    definition: raw === written ? undefined : definitionOf(name, raw),
    ports: portsOf(raw.ports),
    openPorts: portsOf(
      raw.ports?.filter((port) => typeof port !== 'string' && onAllAddresses(port.host_ip ?? '')),
    ),
    envFiles: envFilesOf(written),
    variables: unique(variablesOf(raw)).slice(0, mostVariables),
  }
}

const conditions: Readonly<Record<string, StartCondition['until']>> = {
  service_healthy: 'healthy',
  service_completed_successfully: 'done',
}

const dependenciesIn = ({ depends_on: raw = {} }: RawService): [string, RawDependency?][] =>
  Object.entries(Array.isArray(raw) ? {} : raw)

const restartsAfter = (raw: RawService): string[] =>
  unique(dependenciesIn(raw).flatMap(([name, d]) => (d?.restart === true ? name : [])))

const waitsOf = (raw: RawService): StartCondition[] =>
  dependenciesIn(raw)
    .flatMap(([service, { condition = '' } = {}]) => {
      const until = conditions[condition]
      return until === undefined ? [] : [{ service, until }]
    })
    .sort((a, b) => (a.service < b.service ? -1 : 1))
