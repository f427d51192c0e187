// The beginning of every pass: reads the model, observes the engine, and claims the Compose project.
import { observeOneOffs } from '../observed/observe.ts'
import { visibleTo } from '../../src/secrets/visible.ts'
import type { ManualRuns } from '../by-hand/manual-runs.ts'
import { faultOfLinkedFolder } from '../borders/linked-folder.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import { requestFor } from '../state/stack-target.ts'
import type { FileStore } from '../files/file-store.ts'
import type { ContainerLives } from '../observed/container-lives.ts'
import { endedByOthers } from '../observed/drift.ts'
import { delayAfter } from '../observed/heal-guard.ts'
import { claimProject, type ProjectClaimDeps, type OfStack } from '../borders/project-claim.ts'
import {
  noProject,
  withoutStalePasses,
  type StackCell,
  type StackChange,
  type StackState,
} from '../state/stack-state.ts'
import type { ActionDeps } from '../actions/action.ts'
import { hintFor, missedAmong, type VariableUse } from '../compose/variable-uses.ts'

export interface PassDeps extends ActionDeps, ProjectClaimDeps {
  readonly files: FileStore
  /** By uid of a stagelet, the file of the images that it chooses. */
  readonly imagesFile: (uid: string) => string
  /** Runs of `stagely compose` on this stack. */
  readonly manualRuns: Pick<ManualRuns, 'isBusy' | 'by'>
  readonly lives: Pick<ContainerLives, 'catchUp'>
  /** Called with the Compose project whose events are followed; undefined for none. */
  readonly onProject: (project: string | undefined) => void
}

export const resyncMs = 30_000

/** Puts off the next try, and returns for how long (ms). */
export const retryLater = ({ clock }: PassDeps, cell: StackCell): number => {
  const { retry, target } = cell.state
  const failures = retry.key === target.key ? retry.failures + 1 : 1
  const delay = delayAfter(failures)
  cell.put({ retry: { key: target.key, failures, atMs: clock.monotonic() + delay } })
  return delay
}

export const stopWith = (cell: StackCell, fault: StackFault): number => {
  cell.put({ fault, phase: 'Failed' })
  return resyncMs
}

/** Where the files cannot be read, the change has a fault, and the last model stays. */
export const readModel = async (
  deps: PassDeps,
  { target }: StackState,
): Promise<StackChange & Pick<StackState, 'fault'>> => {
  const { desired, entries } = target
  const request = requestFor(target)
  const linked = request.isEnding ? undefined : await faultOfLinkedFolder(deps.stateFile, request)
  if (linked !== undefined) return { fault: linked, missingVariables: [] }
  const result = await deps.models.read(request)
  if ('fault' in result) {
    const { fault, missingVariables } = result
    const message = `${fault.message}${hintFor(missingVariables, entries)}`
    return { fault: { ...fault, message }, missingVariables }
  }
  const { model } = result
  const isGiven = ({ service, key }: VariableUse): boolean =>
    visibleTo(service, desired.name, entries).some((e) => e.type === 'env' && e.key === key)
  const missingVariables = missedAmong(model.missingVariables, model.uses, isGiven)
  return { fault: undefined, model, missingVariables }
}

/** Forgets all that is known of the project, and ends the sessions that read its logs. */
export const releaseProject = (deps: PassDeps, { claimed, target }: StackState): StackChange => {
  deps.onProject(undefined)
  claimed?.ending.abort()
  deps.locks.release(target.desired.uid)
  return noProject
}

/** Claims the project and observes its containers; or tells why it may not (`fault`), and forgets the project. */
export const claim = async (
  deps: PassDeps,
  state: StackState,
  ofStack: OfStack,
): Promise<StackChange> => {
  const { uid, compose } = state.target.desired
  const { adopt = [] } = compose
  const { project } = ofStack
  const result = await claimProject(deps, { ...ofStack, uid, adopt })
  if ('fault' in result) return { ...releaseProject(deps, state), fault: result.fault }
  const { containers, foundVolumes } = result
  deps.onProject(project)
  await deps.lives.catchUp(deps.engine, project)
  const oneOffs = await observeOneOffs(deps.engine, project)
  const passed = withoutStalePasses(state.passed, containers)
  const observed = { containers, oneOffs, passed, seenAtMs: deps.clock.now() }
  if (state.claimed?.project === project) return observed
  state.claimed?.ending.abort()
  const claimed = { project, ending: new AbortController() }
  // Containers of two projects are never compared.
  const settled = { key: '', containers: [], project }
  const isOther = state.settled.project !== project
  return {
    ...observed,
    foundVolumes,
    claimed,
    ...(isOther && { settled, stuck: new Map(), drift: undefined }),
  }
}

/** Ids of containers that somebody stopped, though they look like jobs that are done. */
export const stoppedIn = (
  deps: Pick<PassDeps, 'exits' | 'stateFile'>,
  { target, containers }: StackState,
): Set<string> =>
  endedByOthers(containers, {
    exitOf: deps.exits.exitOf,
    lasting: new Set(deps.stateFile.get(target.desired.uid)?.lasting),
  })
