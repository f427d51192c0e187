// What every pass begins with: read the model, observe the engine, and see whether the stack may be
// touched at all.
import { visibleTo } from '../src/secrets/visible.ts'
import type { Hands } from './by-hand/hands.ts'
import { checkAllowed } from './compose-files.ts'
import type { StackFault } from './compose-files.ts'
import type { ComposeModel, ModelSource } from './compose-model.ts'
import type { FileStore } from './file-store.ts'
import { endedByOthers } from './drift.ts'
import { delayAfter } from './heal-guard.ts'
import { observeProject, type ObservedContainer } from './observe.ts'
import type { ProjectLocks } from './project-locks.ts'
import { forgetStalePasses } from './stack-state.ts'
import type { StackState } from './stack-state.ts'
import type { ActionDeps } from './action.ts'
import { hintFor, missedAmong } from './variable-uses.ts'

export interface PassDeps extends ActionDeps {
  readonly models: ModelSource
  readonly locks: ProjectLocks
  readonly files: FileStore
  readonly allowDirs: readonly string[]
  /** What persons do through the agent. */
  readonly hands: Pick<Hands, 'isBusy' | 'by'>
  /** Called with the Compose project as soon as it is known. */
  readonly onProject: (project: string) => void
}

export const resyncMs = 30_000

export const noteFailure = (deps: PassDeps, state: StackState): number => {
  const { key } = state.want
  state.failures = state.failedKey === key ? state.failures + 1 : 1
  state.failedKey = key
  const delay = delayAfter(state.failures)
  state.retryAtMs = deps.clock.monotonic() + delay
  return delay
}

export const stopWith = (state: StackState, reason: string, message: string): number => {
  state.fault = { reason, message }
  state.phase = 'Failed'
  return resyncMs
}

export const readModel = async (
  deps: PassDeps,
  state: StackState,
): Promise<ComposeModel | undefined> => {
  const { desired, env, mask } = state.want
  const result = await deps.models.read({ spec: desired.compose, env, mask })
  if ('fault' in result) {
    const { fault, missingVariables } = result
    const hint = hintFor(missingVariables, state.want.entries)
    state.fault = { ...fault, message: `${fault.message}${hint}` }
    state.missingVariables = missingVariables
    return undefined
  }
  state.fault = undefined
  state.model = result.model
  const { missingVariables, uses } = result.model
  const { entries } = state.want
  state.missingVariables = missedAmong(missingVariables, uses, ({ service, key }) =>
    visibleTo(service, desired.name, entries).some((e) => e.type === 'env' && e.key === key),
  )
  return result.model
}

export const observe = async (
  deps: PassDeps,
  state: StackState,
  project: string | undefined,
): Promise<void> => {
  if (project === undefined || project === '') return
  deps.onProject(project)
  state.containers = await observeProject(deps.engine, project)
  forgetStalePasses(state)
}

/** Ids of containers that are down although they look like jobs that are done. */
export const stoppedIn = (deps: PassDeps, { want, containers }: StackState): Set<string> =>
  endedByOthers(containers, {
    endingOf: deps.endings.of,
    lasting: new Set(deps.stateFile.get(want.desired.uid)?.lasting),
  })

/**
 * A project name is free to choose, so it may be that of a stack elsewhere on the machine: what was
 * made from a folder that this agent may not use is not touched.
 */
export const findForeign = async (
  containers: readonly ObservedContainer[],
  allowDirs: readonly string[],
): Promise<StackFault | undefined> => {
  const directories = new Set(containers.flatMap((c) => c.directory ?? []))
  for (const directory of directories) {
    const fault = await checkAllowed(directory, allowDirs)
    if (fault !== undefined)
      return {
        ...fault,
        message: `the Compose project belongs to another folder: ${fault.message}`,
      }
  }
  return undefined
}
