// Requests to the engine of doctor and support bundle, with a short deadline, as a hung engine is a finding.
import { readBodyText, httpRequest } from '../../src/kernel/request.ts'
import { mountsOfEngine, type WritableMount } from './mounts.ts'
import { digestLabel } from '../../src/resources/meta.ts'

export interface EngineFacts {
  readonly version: string
  /** The engine runs in a user namespace, or gives its containers one. */
  readonly isolation: 'none' | 'rootless' | 'userns-remap'
}

/** A container in a list, without command line and environment. */
interface AgentContainer {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Image: string
  readonly State: string
  readonly Status: string
  /** Seconds since the epoch. */
  readonly Created: number
  readonly Labels: Readonly<Record<string, string>>
}

interface OwnMount {
  readonly source: string
  readonly destination: string
}

const deadlineMs = 5_000

const get = async (socketPath: string, path: string): Promise<unknown> => {
  const options = { headers: { Host: 'docker' }, timeout: deadlineMs }
  const response = await httpRequest({ socketPath, path }, options)
  const text = await readBodyText(response)
  if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode ?? 0}`)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('it did not answer as an engine does')
  }
}

/** Rejects with the system's error (code ENOENT, EACCES …) or a plain one. */
export const readEngineFacts = async (socketPath: string): Promise<EngineFacts> => {
  const info = (await get(socketPath, '/info')) as {
    ServerVersion?: string
    SecurityOptions?: string[]
  }
  const has = (name: string): boolean =>
    info.SecurityOptions?.some((option) => option.split(',')[0] === `name=${name}`) === true
  const isolation = has('rootless') ? 'rootless' : has('userns') ? 'userns-remap' : 'none'
  return { version: info.ServerVersion ?? '', isolation }
}

/** Every container that carries the label of an agent, stopped ones too. */
export const readContainers = async (socketPath: string): Promise<AgentContainer[]> => {
  const filters = encodeURIComponent(JSON.stringify({ label: [digestLabel] }))
  return (await get(socketPath, `/containers/json?all=1&filters=${filters}`)) as AgentContainer[]
}

/** A stack that has containers on this machine, as they tell. */
interface FoundStack {
  readonly project: string
  readonly directory: string
  /** Absolute paths of its Compose files. */
  readonly files: readonly string[]
}

/** Stacks of this machine, stopped ones too, and what containers may write. */
export const readStacks = async (
  socketPath: string,
): Promise<{ readonly stacks: FoundStack[]; readonly mounts: WritableMount[] }> => {
  const ask = async <T>(path: string): Promise<T> => (await get(socketPath, path)) as T
  const engine = mountsOfEngine(ask, ask)
  const [all, mounts] = await Promise.all([
    ask<Pick<AgentContainer, 'Labels'>[]>('/containers/json?all=1'),
    engine.writableMounts(),
  ])
  const found = all.flatMap(({ Labels: containerLabels }) => {
    const label = (name: string): string => containerLabels[`com.docker.compose.${name}`] ?? ''
    const [project, directory] = [label('project'), label('project.working_dir')]
    const files = label('project.config_files').split(',')
    return directory === ''
      ? []
      : { project, directory, files: files.filter((file) => file.startsWith('/')) }
  })
  const stacks = new Map(found.map((stack) => [JSON.stringify(stack), stack]))
  return { stacks: [...stacks.values()], mounts }
}

/** Bind mounts of a container of this engine. */
export const readOwnMounts = async (socketPath: string, id: string): Promise<OwnMount[]> => {
  const details = (await get(socketPath, `/containers/${id}/json`)) as {
    Mounts?: { Type: string; Source?: string; Destination: string }[]
  }
  return (details.Mounts ?? [])
    .filter((m) => m.Type === 'bind')
    .map((m) => ({ source: m.Source ?? '', destination: m.Destination }))
}
