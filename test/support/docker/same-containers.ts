// What is compared of containers: all that `docker inspect` says, but for ids, names, times, addresses,
// and what the engine keeps of a run.
import { isDeepStrictEqual } from 'node:util'

export interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly Config: { readonly Labels: Readonly<Record<string, string>>; readonly Hostname?: string }
  readonly [field: string]: unknown
}

const ofOneRun = new Set([
  ...[
    'Id',
    'Name',
    'Created',
    'State',
    'RestartCount',
    'ExecIDs',
    'ResolvConfPath',
    'HostnamePath',
  ],
  ...['HostsPath', 'LogPath', 'GraphDriver', 'SandboxID', 'SandboxKey', 'EndpointID', 'NetworkID'],
  ...['Gateway', 'IPAddress', 'MacAddress', 'IPv6Gateway', 'GlobalIPv6Address', 'Ports'],
  // The engine takes each network from the next of its pools, which are of several sizes.
  ...['IPPrefixLen', 'GlobalIPv6PrefixLen'],
  // An image made a moment before the engine's answer is the same one by its name.
  ...['ImageManifestDescriptor', 'com.docker.compose.replace'],
])

const sorted = (values: readonly unknown[]): unknown[] =>
  [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

/** Lists whose order Compose leaves to chance. */
const unordered = new Set(['Env', 'Binds', 'Mounts', 'Aliases', 'DNSNames', 'Links', 'ExtraHosts'])

const facts = (value: unknown, key: string, text: (t: string) => string): unknown => {
  if (typeof value === 'string') {
    const named = text(value)
    return key === 'com.docker.compose.depends_on' ? named.split(',').sort().join() : named
  }
  if (Array.isArray(value)) {
    const list = value.map((v: unknown) => facts(v, '', text))
    const kept = unordered.has(key) ? [...new Set(list)] : list
    return unordered.has(key) ? sorted(kept) : kept
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .filter(([name]) => !ofOneRun.has(name))
    .map(([name, v]) => [text(name), facts(v, name, text)] as const)
  return Object.fromEntries(entries)
}

/** Holds another container's id, and so in its hash. */
const holdsAnId = (c: Inspected): boolean => {
  const host = c['HostConfig'] as Record<string, unknown>
  const modes = [host['NetworkMode'], host['IpcMode'], host['PidMode']].map(String)
  return modes.some((m) => m.startsWith('container:')) || Array.isArray(host['VolumesFrom'])
}

const nameOf = ({ Config: { Labels: labels } }: Inspected): string =>
  `${labels['com.docker.compose.service']} ${labels['com.docker.compose.container-number']}`

/** By service and number, what is compared. */
export const comparable = (all: readonly Inspected[]): ReadonlyMap<string, unknown> => {
  const ids = new Map(
    all.flatMap((c) => [
      [c.Id, nameOf(c)],
      [c.Id.slice(0, 12), nameOf(c)],
    ]),
  )
  const text = (t: string): string =>
    t
      .replace(/[0-9a-f]{64}/g, (id) => ids.get(id) ?? (t.startsWith('sha256') ? id : 'anonymous'))
      .replace(/\b[0-9a-f]{12}\b/g, (id) => ids.get(id) ?? id)
  return new Map(
    all.map((c) => {
      const labels = { ...c.Config.Labels }
      const hash = 'com.docker.compose.config-hash'
      const plain = holdsAnId(c) ? { ...labels, [hash]: 'of an id' } : labels
      const hashed = { ...plain, [hash]: `hash ${plain[hash]}` }
      const found = facts({ ...c, Config: { ...c.Config, Labels: {} } }, '', text) as object
      const keep = Object.entries(hashed).filter(([name]) => !ofOneRun.has(name))
      const own = keep.map(([name, value]) => [
        name,
        name === hash ? value : facts(value, name, text),
      ])
      return [nameOf(c), { ...found, Labels: Object.fromEntries(own) as object }] as const
    }),
  )
}

/** Paths at which two values differ. */
const differing = (a: unknown, b: unknown, path: string): string[] => {
  if (isDeepStrictEqual(a, b)) return []
  const isObject = (v: unknown): v is Record<string, unknown> =>
    typeof v === 'object' && v !== null && !Array.isArray(v)
  if (!isObject(a) || !isObject(b)) return [`${path}: ${JSON.stringify(a)} ≠ ${JSON.stringify(b)}`]
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  return keys.flatMap((key) => differing(a[key], b[key], `${path}.${key}`))
}

/** What differs between the containers of one stack and those of another, by container and field. */
export const differences = (ours: readonly Inspected[], theirs: readonly Inspected[]): string[] => {
  const [a, b] = [comparable(ours), comparable(theirs)]
  const names = [...new Set([...a.keys(), ...b.keys()])].sort()
  return names.flatMap((name) => differing(a.get(name), b.get(name), name))
}
