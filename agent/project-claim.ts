// Claims Compose projects for stagelets. The name of a project is free to choose, so that it may belong to another stack:
// a stagelet reads, tells and changes nothing of a project before it has claimed it.
import type { AllowedFolders, StackFault } from './allowed-folders.ts'
import { checkAllowed, realPath } from './allowed-folders.ts'
import type { Engine } from './docker/engine.ts'
import { observeProject, type ObservedContainer } from './observe.ts'
import type { ProjectLocks } from './project-locks.ts'
import type { StackState } from './stack-state.ts'
import type { Deployment, StateFile } from './state-file.ts'

export interface ClaimDeps {
  readonly engine: Engine
  readonly stateFile: StateFile
  readonly locks: ProjectLocks
  readonly folders: AllowedFolders
}

/** A project that a stagelet has claimed. */
export interface ClaimedProject {
  readonly project: string
  /** Aborts when the claim ends. */
  readonly ending: AbortController
}

export interface ClaimRequest {
  readonly uid: string
  readonly project: string
  /** Folders of the stack, as its files tell. */
  readonly roots: readonly string[]
}

type ClaimResult =
  { readonly containers: readonly ObservedContainer[] } | { readonly fault: StackFault }

const claimed = (project: string, who: string): { fault: StackFault } => ({
  fault: {
    reason: 'ProjectClaimed',
    message: `${who} the Compose project "${project}" on this machine: give this one a spec.compose.projectName of its own`,
  },
})

/** A fault where containers were made from a folder that this agent may not use; or from another folder than the stack's, unless this stagelet has deployed them. */
const findForeign = async (
  { folders }: ClaimDeps,
  { project, roots }: ClaimRequest,
  observed: { containers: readonly ObservedContainer[]; isDeployed: boolean },
): Promise<{ fault: StackFault } | undefined> => {
  const own = new Set(await Promise.all(roots.map(realPath)))
  for (const directory of new Set(observed.containers.flatMap((c) => c.directory ?? []))) {
    const fault = await checkAllowed(directory, folders)
    if (fault !== undefined) {
      const message = `the Compose project "${project}" belongs to another folder, which this agent may not use: give this stack a spec.compose.projectName of its own, or start the agent with --allow-dir for that folder`
      return { fault: { reason: fault.reason, message } }
    }
    if (!observed.isDeployed && !own.has(await realPath(directory)))
      return claimed(project, 'a stack of another folder has')
  }
  return undefined
}

/** Claims the project, and returns its containers; or the fault why the stagelet may not have it. */
export const claimProject = async (
  deps: ClaimDeps,
  request: ClaimRequest,
): Promise<ClaimResult> => {
  const { engine, stateFile, locks } = deps
  const { uid, project } = request
  // Another stagelet may have deployed it although its loop has not started yet, as after a start of the agent.
  const others = stateFile.uids().filter((other) => other !== uid)
  if (others.some((other) => stateFile.get(other)?.project === project))
    return claimed(project, 'another stagelet on this agent already runs')
  const containers = await observeProject(engine, project)
  const isDeployed = stateFile.get(uid)?.project === project
  const foreign = await findForeign(deps, request, { containers, isDeployed })
  if (foreign !== undefined) return foreign
  const claim = await locks.claim(project, uid)
  if (claim === 'mine') return { containers }
  const who = claim === 'of another agent' ? 'another agent' : 'another stagelet on this agent'
  return claimed(project, `${who} already runs`)
}

/**
 * Volumes that the project had before the stagelet deployed anything or had a container. They may belong to another
 * stack that is down, as a volume does not tell the folder that it was made from.
 */
export const findVolumesOfOthers = async (
  { engine, stateFile }: ClaimDeps,
  { uid, project, roots }: ClaimRequest,
  containers: readonly ObservedContainer[],
): Promise<readonly string[]> => {
  const known = stateFile.get(uid)
  if (known?.project === project) return known.foundVolumes ?? []
  const left = stateFile.leftOf(project)
  // A person started the stack from its own folder: its volumes belong to it.
  if (left === undefined && containers.length > 0) return []
  const own = await Promise.all(roots.map(realPath))
  const isOwn = left?.directory !== undefined && own.includes(await realPath(left.directory))
  return isOwn ? left.foundVolumes : await engine.listVolumes(project)
}

/** The part of a deployment that is known from the first look at the files. */
export const placeOf = (
  { want, foundVolumes }: StackState,
  project: string,
): Pick<Deployment, 'project' | 'directory' | 'foundVolumes'> => ({
  project,
  directory: want.desired.compose.directory,
  foundVolumes: [...foundVolumes],
})
