// The mounts of each service, as Compose tells them, to know which of them a file secret replaces.
import { posix } from 'node:path'
import { folderOfVolume } from '../docker/mounts.ts'

/** A file or folder of the machine that a service mounts. */
export interface Bind {
  /** Absolute path on the machine. */
  readonly source: string
  /** Absolute path in the container. */
  readonly target: string
  readonly readOnly: boolean
}

export interface ServiceMounts {
  /** Also volumes that are folders of the machine (`driver_opts`). */
  readonly binds: readonly Bind[]
  /** Targets of all other mounts: other volumes, tmpfs. */
  readonly others: readonly string[]
}

interface RawVolume {
  readonly type?: string
  readonly source?: string
  readonly target?: string
  readonly read_only?: boolean
}
interface RawReference {
  readonly source?: string
  readonly target?: string
}
interface RawMounts {
  readonly volumes?: readonly RawVolume[]
  readonly tmpfs?: string | readonly string[]
  readonly secrets?: readonly RawReference[]
  readonly configs?: readonly RawReference[]
}
type RawFiles = Readonly<Record<string, { readonly file?: string } | null>>
export interface RawStack {
  readonly services?: Readonly<Record<string, RawMounts>>
  readonly secrets?: RawFiles
  readonly configs?: RawFiles
  readonly volumes?: Readonly<Record<string, RawNamedVolume | null>>
}
interface RawNamedVolume {
  readonly name?: string
  readonly external?: unknown
  readonly driver_opts?: Readonly<Record<string, string>> | null
}

/** One spelling of an absolute path: no `.`, `..`, double or trailing slashes. */
export const cleanPath = (path: string): string => {
  const clean = posix.normalize(path)
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean
}

/** A top-level secret or config with `file:` is a read-only bind, below `folder` unless its target is absolute. */
const referenced = (
  references: readonly RawReference[] | undefined,
  files: RawFiles | undefined,
  folder: string,
): Bind[] =>
  (references ?? []).flatMap(({ source = '', target }) => {
    const file = files?.[source]?.file
    if (file === undefined) return []
    const path = posix.resolve(folder, target ?? source)
    return [{ source: cleanPath(file), target: path, readOnly: true }]
  })

const mountsOf = (raw: RawMounts, stack: RawStack): ServiceMounts => {
  const volumes = (raw.volumes ?? []).filter((v) => v.target !== undefined)
  const folderOf = ({ type, source = '' }: RawVolume): string | undefined =>
    type === 'bind' ? source : folderOfVolume(stack.volumes?.[source]?.driver_opts)
  const isBind = (v: RawVolume): boolean => (folderOf(v) ?? '') !== ''
  const tmpfs = typeof raw.tmpfs === 'string' ? [raw.tmpfs] : (raw.tmpfs ?? [])
  return {
    binds: [
      ...volumes.filter(isBind).map((v) => ({
        source: cleanPath(folderOf(v)!),
        target: cleanPath(v.target!),
        readOnly: v.read_only === true,
      })),
      ...referenced(raw.secrets, stack.secrets, '/run/secrets'),
      ...referenced(raw.configs, stack.configs, '/'),
    ],
    others: [
      ...volumes.filter((v) => !isBind(v)).map((v) => cleanPath(v.target!)),
      ...tmpfs.map((t) => cleanPath(t.split(':')[0]!)),
    ],
  }
}

/** By service, from the output of `config --format json`. */
export const parseMounts = (stack: RawStack): ReadonlyMap<string, ServiceMounts> =>
  new Map(
    Object.entries(stack.services ?? {}).map(
      ([name, raw]) => [name, mountsOf(raw, stack)] as const,
    ),
  )

/** Volumes whose names the files give: a stack under another name uses the same ones. */
export const volumesOfFixedName = (project: string, { volumes = {} }: RawStack): string[] =>
  Object.values(volumes)
    .flatMap((raw) => raw?.name ?? [])
    .filter((name) => !name.startsWith(`${project}_`))

/** Volumes that Compose names after the project, sorted; a name that the files give is their own choice. */
export const volumesNamedAfter = (project: string, { volumes = {} }: RawStack): string[] =>
  Object.values(volumes)
    .flatMap((raw) => (raw?.name === undefined || Boolean(raw.external) ? [] : [raw.name]))
    .filter((name) => name.startsWith(`${project}_`))
    .sort()
