// Claims Compose projects for stagelets. The name of a project is free to choose, so that it may belong to another stack:
// a stagelet reads, tells and changes nothing of a project before it has claimed it.
import {
  type AllowedFolders,
  type StackFault,
  checkAllowed,
  realPath,
} from '../compose/allowed-folders.ts'
import { findTaken } from './taken.ts'
import { findTwin, type OwnStack } from './twin-stack.ts'
import type { ServiceModel } from '../compose/service-model.ts'
import { usedPathsOf } from './written-by-containers.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { Engine } from '../docker/engine.ts'
import { listFolders, observeProject } from '../observed/observe.ts'
import { type ObservedContainer } from '../observed/container.ts'
import type { ProjectLocks } from './project-locks.ts'
import type { StackState } from '../state/stack-state.ts'
import type { Deployment, StateFile } from '../state/state-file.ts'

export interface ProjectClaimDeps {
  readonly engine: Engine
  readonly stateFile: StateFile
  readonly locks: ProjectLocks
  readonly folders: AllowedFolders
}

interface ClaimRequest extends OwnStack {
  readonly uid: string
  readonly services: readonly ServiceModel[]
  /** Volumes that the stack uses, and that its project's name makes. */
  readonly volumes: readonly string[]
}

export type OfStack = Omit<ClaimRequest, 'uid' | 'adopt'>

/** The claim for a stack of this model. Without a model only containers that the agent has deployed count as the stack's. */
export const projectClaimOf = (
  project: string,
  model?: Pick<ComposeModel, 'roots' | 'volumes' | 'fixedVolumes' | 'services' | 'mounts'>,
): OfStack => ({
  project,
  roots: model?.roots ?? [],
  volumes: model?.volumes ?? [],
  fixedVolumes: model?.fixedVolumes ?? [],
  services: model?.services ?? [],
  writes: usedPathsOf(model).flatMap(({ source, writes }) => (writes ? source : [])),
})

type ClaimResult =
  | {
      readonly containers: readonly ObservedContainer[]
      /** Volumes of the project that are not the stagelet's to delete. */
      readonly foundVolumes: readonly string[]
    }
  | { readonly fault: StackFault }

const refused = (reason: string, message: string): { fault: StackFault } => ({
  fault: { reason, message },
})

const claimed = (project: string, who: string): { fault: StackFault } =>
  refused(
    'ProjectClaimed',
    `${who} the Compose project "${project}" on this machine: give this one a spec.compose.projectName of its own`,
  )

/**
 * A fault where containers were made from a folder that this agent may not use; or, unless this stagelet has deployed
 * them, from another folder than the stack's, or where they do not tell their folder.
 */
const findForeign = async (
  { folders }: ProjectClaimDeps,
  { project, roots }: ClaimRequest,
  observed: { directories: readonly (string | undefined)[]; isDeployed: boolean },
): Promise<{ fault: StackFault } | undefined> => {
  const own = new Set(await Promise.all(roots.map(realPath)))
  for (const directory of new Set(observed.directories)) {
    const fault = directory === undefined ? undefined : await checkAllowed(directory, folders)
    if (fault !== undefined) {
      const message = `the Compose project "${project}" belongs to another folder, which this agent may not use: give this stack a spec.compose.projectName of its own, or start the agent with --allow-dir for that folder`
      return refused(fault.reason, message)
    }
    if (observed.isDeployed) continue
    if (directory === undefined)
      return claimed(project, 'a container that does not tell its folder is in')
    if (!own.has(await realPath(directory)))
      return claimed(project, 'a stack of another folder has')
  }
  return undefined
}

interface Left {
  readonly volumes: readonly string[]
  readonly networks: readonly string[]
  /** Volumes of other projects that this one would use, since their names are equal: `a` has `b_data`, `a_b` has `data`. */
  readonly namesakes: readonly string[]
}

/**
 * A stack that is down is known by what it left: its volumes hold its data, and its networks lead to who uses them. Compose
 * uses a volume of the right name whatever its label: one that a person has made, as for a backup, has none.
 */
const findLeft = async (
  { engine }: ProjectClaimDeps,
  { project, volumes: used }: ClaimRequest,
): Promise<Left> => {
  const [labelled, networks, projects] = await Promise.all([
    engine.listVolumes(project),
    engine.listNetworks(project),
    engine.projectsOfVolumes(),
  ])
  const ofName = (matches: (owner: string) => boolean): string[] =>
    used.filter((name) => matches(projects.get(name) ?? project))
  const namesakes = ofName((owner) => owner !== '' && owner !== project)
  return { volumes: [...labelled, ...ofName((owner) => owner === '')].sort(), networks, namesakes }
}

/** `owner`: the folder of the project by the agent's record. A stagelet cannot adopt what another folder had. */
const notAdopted = (
  project: string,
  names: readonly string[],
  owner: string | undefined,
): { fault: StackFault } => {
  const all = names.join(', ')
  const what = `the Compose project "${project}" is down, and left volumes or networks`
  const start = 'a person starts it once from its folder on the machine (docker compose up -d)'
  const otherwise = 'Otherwise give this one a spec.compose.projectName of its own'
  return refused(
    'NotAdopted',
    owner === undefined
      ? `${what} that this agent does not know, so they may be another stack’s: ${all}. Where they are this stack’s, ${start}, or the stagelet names them: spec.compose.adopt: [${all}]. ${otherwise}`
      : `${what} of a stack of another folder: ${all}. Where that is this stack, ${start}. ${otherwise}`,
  )
}

const ofOtherProjects = (project: string, names: readonly string[]): { fault: StackFault } =>
  refused(
    'ProjectClaimed',
    `as the Compose project "${project}" this stack would use volumes of another project, whose names are equal: ${names.join(', ')}. Give it another spec.compose.projectName`,
  )

/**
 * A fault where the stack would take a name or a port of another one, or where a stack of the same folder under another
 * name may write what this one may, before it starts first.
 */
const findShared = async (
  { engine }: ProjectClaimDeps,
  request: ClaimRequest,
): Promise<{ fault: StackFault } | undefined> => {
  const mayTake = request.services.filter(
    ({ openPorts, containerName }) => openPorts.length > 0 || containerName !== undefined,
  )
  // There is no container of the stack itself yet.
  const taken =
    mayTake.length > 0 ? findTaken(mayTake, await engine.listAllContainers()) : undefined
  if (taken !== undefined) return { fault: taken }
  if (request.writes.length === 0 && request.fixedVolumes.length === 0) return undefined
  const twin = await findTwin(request, await engine.writableMounts())
  if (twin === undefined) return undefined
  const { project, container, path } = twin
  return refused(
    'FolderShared',
    `the Compose project "${project}" was made from the same folder, and its container ${container} may write ${path} as this stack may: two databases on one folder destroy it. Give each a folder of its own, or take the other down: docker compose -p ${project} down. Where both may write it, the stagelet says so: spec.compose.adopt: [${path}]`,
  )
}

/**
 * Volumes that were there before the stagelet deployed anything or had a container: it may use them, and must not delete
 * them. A fault where the stagelet does not name them: they may belong to another stack that is down.
 */
const findVolumesOfOthers = async (
  deps: ProjectClaimDeps,
  request: ClaimRequest,
  containers: readonly ObservedContainer[],
): Promise<{ readonly volumes: readonly string[] } | { readonly fault: StackFault }> => {
  const { stateFile } = deps
  const { uid, project, roots, adopt } = request
  const deployment = stateFile.get(uid)
  if (deployment?.project === project) return { volumes: deployment.foundVolumes ?? [] }
  const left = stateFile.leftOf(project)
  // A person started the stack from its own folder: its volumes belong to it.
  if (left === undefined && containers.length > 0) return { volumes: [] }
  const own = await Promise.all(roots.map(realPath))
  const directory = left?.directory
  const isOwn = directory !== undefined && own.includes(await realPath(directory))
  if (isOwn) return { volumes: left?.foundVolumes ?? [] }
  const found = await findLeft(deps, request)
  const all = [...found.volumes, ...found.networks]
  const unknown = directory === undefined ? all.filter((name) => !adopt.includes(name)) : all
  // Containers of the stack's own folder use what is there.
  if (containers.length > 0) return { volumes: found.volumes }
  if (found.namesakes.length > 0) return ofOtherProjects(project, found.namesakes)
  return unknown.length === 0 ? { volumes: found.volumes } : notAdopted(project, unknown, directory)
}

/**
 * A fault where the stagelet has deployed a project of another name whose containers are still there: two databases must
 * never run on one folder of data.
 */
export const findRenamed = async (
  { engine, stateFile }: Pick<ProjectClaimDeps, 'engine' | 'stateFile'>,
  { uid, project }: Pick<ClaimRequest, 'uid' | 'project'>,
): Promise<{ readonly fault: StackFault; readonly deployed: string } | undefined> => {
  const deployed = stateFile.get(uid)?.project ?? project
  if (deployed === project || (await engine.listContainers(deployed)).length === 0) return undefined
  const { fault } = refused(
    'ProjectRenamed',
    `this stack runs as the Compose project "${deployed}" and is "${project}" by now (spec.compose.projectName, the name in its files, or that of its folder): go back to "${deployed}", or take that down on the machine first: docker compose -p ${deployed} down --remove-orphans. Its volumes stay, and "${project}" gets new ones`,
  )
  return { fault, deployed }
}

/** Claims the project, and returns its containers; or the fault why the stagelet may not have it. */
export const claimProject = async (
  deps: ProjectClaimDeps,
  request: ClaimRequest,
): Promise<ClaimResult> => {
  const { engine, stateFile, locks } = deps
  const { uid, project } = request
  // Another stagelet may have deployed it although its loop has not started yet, as after a start of the agent.
  const others = stateFile.uids().filter((other) => other !== uid)
  if (others.some((other) => stateFile.get(other)?.project === project))
    return claimed(project, 'another stagelet on this agent already runs')
  const renamed = await findRenamed(deps, request)
  if (renamed !== undefined) return renamed
  const containers = await observeProject(engine, project)
  const isDeployed = stateFile.get(uid)?.project === project
  const directories = await listFolders(engine, project)
  const foreign = await findForeign(deps, request, { directories, isDeployed })
  if (foreign !== undefined) return foreign
  const found = await findVolumesOfOthers(deps, request, containers)
  if ('fault' in found) return found
  const shared = isDeployed || containers.length > 0 ? undefined : await findShared(deps, request)
  if (shared !== undefined) return shared
  const claim = await locks.claim(project, uid)
  if (claim === 'mine') return { containers, foundVolumes: found.volumes }
  const who = claim === 'of another agent' ? 'another agent' : 'another stagelet on this agent'
  return claimed(project, `${who} already runs`)
}

/** The part of a deployment that is known from the first look at the files. */
export const deploymentPlace = (
  { target, foundVolumes }: StackState,
  project: string,
): Pick<Deployment, 'project' | 'directory' | 'foundVolumes'> => ({
  project,
  directory: target.desired.compose.directory,
  foundVolumes: [...foundVolumes],
})
