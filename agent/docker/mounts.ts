// What the engine tells of volumes, networks, and the folders of the machine that containers may write.
import { ownContainer } from './own-container.ts'

/** A file or folder of the machine that a container may write. */
export interface WritableMount {
  /** Absolute path on the machine, as it was given. */
  readonly source: string
  /** Name of the volume; '' for a folder of the machine. */
  readonly volume?: string
  /** Name of the container. */
  readonly container: string
  /** Compose project and folder that it was made from; '' where it has no such label. */
  readonly project: string
  readonly directory: string
}

interface MountSummary {
  readonly Type: string
  readonly Name?: string
  readonly Source?: string
  readonly RW?: boolean
}
interface MountingContainer {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Labels?: Readonly<Record<string, string>> | null
  readonly Mounts?: readonly MountSummary[]
}
interface Volume {
  readonly Name: string
  readonly Options?: Readonly<Record<string, string>> | null
  readonly Labels?: Readonly<Record<string, string>> | null
}

export interface MountsOfEngine {
  /** Sources of all bind mounts of all containers, stopped ones too. */
  mountSources(): Promise<string[]>
  /** What containers may write, stopped ones too; without the container that this process runs in. */
  writableMounts(): Promise<WritableMount[]>
  /** Names of the volumes of a Compose project, sorted. */
  listVolumes(project: string): Promise<string[]>
  /** By name of each volume, the Compose project that it was made for; '' where it has no such label. */
  projectsOfVolumes(): Promise<ReadonlyMap<string, string>>
  /** Names of the networks of a Compose project, sorted. */
  listNetworks(project: string): Promise<string[]>
  /** Removes a volume, if it exists. Conflict: a container uses it. */
  removeVolume(name: string): Promise<void>
}

type Get = <T>(path: string) => Promise<T | undefined>

const ofProject = (project: string): string => {
  const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`] })
  return new URLSearchParams({ filters }).toString()
}

/** The folder of the machine that such a volume is; undefined where the engine keeps it among its own. */
export const folderOfVolume = (
  options: Readonly<Record<string, string>> | null | undefined,
): string | undefined => {
  const { device, o = '' } = options ?? {}
  return device?.startsWith('/') === true && o.split(',').some((word) => /^r?bind$/.test(word))
    ? device
    : undefined
}

const writableOf = (
  { Names, Labels, Mounts = [] }: MountingContainer,
  devices: ReadonlyMap<string, string>,
): WritableMount[] => {
  const label = (name: string): string => Labels?.[`com.docker.compose.${name}`] ?? ''
  const owner = {
    container: (Names[0] ?? '').replace(/^\//, ''),
    project: label('project'),
    directory: label('project.working_dir'),
  }
  return Mounts.flatMap(({ RW, Name = '', Source = '' }) => {
    const source = devices.get(Name) ?? Source
    return RW === false || !source.startsWith('/') ? [] : [{ ...owner, source, volume: Name }]
  })
}

export const mountsOfEngine = (
  get: Get,
  call: (method: string, path: string) => Promise<unknown>,
): MountsOfEngine => {
  let own: ReturnType<typeof ownContainer> | undefined
  const listAll = async (): Promise<MountingContainer[]> =>
    (await get<MountingContainer[]>('/containers/json?all=1')) ?? []
  const volumes = async (query: string): Promise<readonly Volume[]> =>
    (await get<{ Volumes: Volume[] | null }>(`/volumes${query}`))?.Volumes ?? []
  return {
    mountSources: async () => {
      const binds = (await listAll())
        .flatMap((c) => c.Mounts ?? [])
        .filter((m) => m.Type === 'bind')
      return binds.map((m) => m.Source ?? '')
    },
    writableMounts: async () => {
      own ??= ownContainer()
      const [all, listed, except] = await Promise.all([listAll(), volumes(''), own])
      const devices = new Map(
        listed.flatMap(({ Name, Options }) => {
          const folder = folderOfVolume(Options)
          return folder === undefined ? [] : [[Name, folder] as const]
        }),
      )
      return all.filter(({ Id }) => Id !== except).flatMap((c) => writableOf(c, devices))
    },
    listVolumes: async (project) =>
      (await volumes(`?${ofProject(project)}`)).map((v) => v.Name).sort(),
    projectsOfVolumes: async () =>
      new Map(
        (await volumes('')).map((v) => [v.Name, v.Labels?.['com.docker.compose.project'] ?? '']),
      ),
    listNetworks: async (project) =>
      ((await get<{ Name: string }[]>(`/networks?${ofProject(project)}`)) ?? [])
        .map(({ Name }) => Name)
        .sort(),
    removeVolume: async (name) => {
      await call('DELETE', `/volumes/${encodeURIComponent(name)}`)
    },
  }
}
