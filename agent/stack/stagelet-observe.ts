// The beginning of every pass: reads the model, observes the engine, and claims the Compose project.
import { observeOneOffs } from '../observed/observe.ts'
import { visibleTo } from '../../src/secrets/visible.ts'
import type { ManualRuns } from '../by-hand/manual-runs.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import { requestFor } from '../actions/compose-environment.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { FileStore } from '../files/file-store.ts'
import { endedByOthers } from '../observed/drift.ts'
import { delayAfter } from '../observed/heal-guard.ts'
import { claimProject, type ClaimDeps, type OfStack } from './project-claim.ts'
import { forgetSettled, forgetStalePasses, noOneOffs } from './stack-state.ts'
import type { StackState } from './stack-state.ts'
import type { ActionDeps } from '../actions/action.ts'
import { hintFor, missedAmong } from '../compose/variable-uses.ts'

export interface PassDeps extends ActionDeps, ClaimDeps {
  readonly files: FileStore
  /** Runs of `stagely compose` on this stack. */
  readonly manualRuns: Pick<ManualRuns, 'isBusy' | 'by'>
  /** Called with the Compose project whose events are followed; undefined for none. */
  readonly onProject: (project: string | undefined) => void
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
  const { desired } = state.want
  const result = await deps.models.read(requestFor(state.want))
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

/** Forgets all that is known of the project, and ends the sessions that read its logs. */
export const releaseProject = (deps: PassDeps, state: StackState): void => {
  deps.onProject(undefined)
  state.claimed?.ending.abort()
  state.claimed = undefined
  state.model = undefined
  state.containers = []
  state.oneOffs = noOneOffs
  state.passed = {}
  state.ungated = new Set()
  state.pendingEdits = []
  state.diverging = undefined
  state.missingVariables = []
  state.unmountedFiles = []
  deps.locks.release(state.want.desired.uid)
}

/** Claims the project and observes its containers; or returns why it may not, and forgets the project. */
export const claim = async (
  deps: PassDeps,
  state: StackState,
  { project, roots, volumes, writes }: OfStack,
): Promise<StackFault | undefined> => {
  const { uid, compose } = state.want.desired
  const { adopt = [] } = compose
  const result = await claimProject(deps, { uid, project, roots, volumes, writes, adopt })
  if ('fault' in result) {
    releaseProject(deps, state)
    return result.fault
  }
  if (state.claimed?.project !== project) {
    state.claimed?.ending.abort()
    state.foundVolumes = result.foundVolumes
    state.claimed = { project, ending: new AbortController() }
    if (state.settledProject !== project) forgetSettled(state, project)
  }
  deps.onProject(project)
  state.containers = result.containers
  state.oneOffs = await observeOneOffs(deps.engine, project)
  state.seenAtMs = deps.clock.now()
  forgetStalePasses(state)
  return undefined
}

/** Ids of containers that somebody stopped, though they look like jobs that are done. */
export const stoppedIn = (
  deps: Pick<PassDeps, 'exits' | 'stateFile'>,
  { want, containers }: StackState,
): Set<string> =>
  endedByOthers(containers, {
    exitOf: deps.exits.of,
    lasting: new Set(deps.stateFile.get(want.desired.uid)?.lasting),
  })
