// Looks for values in containers and images: what the engine tells of each, and the small files that are mounted.
import { defined } from '../../src/kernel/defined.ts'
import type { FoundPlace, PlaceKind } from '../../src/protocol/look.ts'
import type { EngineConfig, EngineMount } from '../docker/configs.ts'
import type { ContainerSummary } from '../docker/engine.ts'
import { serviceOf } from '../logs/project-log.ts'
import type { Looking } from './looking.ts'
import { smallFiles } from './small-files.ts'

const projectLabel = 'com.docker.compose.project'

type Holder = Pick<FoundPlace, 'container' | 'service' | 'managed' | 'running' | 'since'>

const ended: ReadonlySet<string> = new Set(['created', 'exited', 'dead'])

export const containerName = ({ Names, Id }: ContainerSummary): string =>
  (Names[0] ?? Id).replace(/^\//, '')

export const holderOf = (container: ContainerSummary, projects: ReadonlySet<string>): Holder => {
  const project = container.Labels[projectLabel]
  const service = serviceOf(container)
  return {
    container: containerName(container),
    ...(project !== undefined && service !== '' && { service: `${project}/${service}` }),
    managed: project !== undefined && projects.has(project),
    running: !ended.has(container.State),
    since: container.Created,
  }
}

/** What a configuration holds, piece by piece. */
const piecesOf = (config: EngineConfig): { kind: PlaceKind; at?: string; text: string }[] => [
  ...(config.Env ?? []).map((text) => ({
    kind: 'environment' as const,
    at: text.slice(0, Math.max(0, text.indexOf('='))),
    text,
  })),
  { kind: 'command', text: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join('\n') },
  { kind: 'command', at: 'healthcheck', text: (config.Healthcheck?.Test ?? []).join('\n') },
  ...Object.entries(config.Labels ?? {}).map(([at, text]) => ({
    kind: 'label' as const,
    at,
    text: `${at}=${text}`,
  })),
]

const lookInConfig = (
  { note, find }: Looking,
  config: EngineConfig,
  placeOf: (kind: PlaceKind, at: string | undefined) => Omit<FoundPlace, 'values'>,
): void => {
  for (const { kind, at, text } of piecesOf(config))
    note(placeOf(kind, at), find(Buffer.from(text)))
}

const lookInMount = async (
  looking: Looking,
  holder: Holder,
  { Source: source = '', Destination: destination }: EngineMount,
): Promise<void> => {
  if (!source.startsWith('/')) return
  const files = smallFiles(source)
  for await (const path of files.paths()) {
    if (looking.isOver()) return
    for (const { line, values } of await looking.findInFile(path)) {
      const at = `${destination}${path.slice(source.length)}:${line}`
      looking.note({ kind: 'mount', ...holder, at }, values)
    }
  }
  if (files.isCut()) looking.unread(`mount ${destination} of ${holder.container}: too many files`)
}

interface Mounted {
  readonly holder: Holder
  readonly mounts: readonly EngineMount[]
}

/** All containers of the engine, managed or not. Returns what they mount. */
export const lookInContainers = async (looking: Looking): Promise<Mounted[]> => {
  const { engine } = looking
  const mounted: Mounted[] = []
  for (const container of await engine.listAllContainers()) {
    if (looking.isOver()) break
    const found = await engine.configOf(container.Id)
    if (found === undefined) continue
    const holder = holderOf(container, looking.projects)
    lookInConfig(looking, found.Config, (kind, at) => ({ kind, ...holder, ...defined({ at }) }))
    mounted.push({ holder, mounts: found.Mounts ?? [] })
  }
  return mounted
}

/** A mount may have many files: these come last. */
export const lookInMounts = async (
  looking: Looking,
  mounted: readonly Mounted[],
): Promise<void> => {
  for (const { holder, mounts } of mounted)
    for (const mount of mounts) await lookInMount(looking, holder, mount)
}

export const lookInImages = async (looking: Looking): Promise<void> => {
  const { engine } = looking
  for (const { Id: id, RepoTags: tags } of await engine.listImages()) {
    if (looking.isOver()) return
    const config = await engine.imageConfig(id)
    const container = (tags?.[0] ?? id).slice(0, 256)
    if (config !== undefined)
      lookInConfig(looking, config, (kind, at) => ({
        kind: 'image',
        container,
        at: at ?? kind,
      }))
  }
}
