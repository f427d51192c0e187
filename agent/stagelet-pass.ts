// One pass: look at everything, do at most one action, say when to look again. Level-triggered: a
// pass begins with what the files and the engine say now, whatever woke it.
import { messageOf } from '../src/kernel/errors.ts'
import { checkAllowed } from './compose-files.ts'
import type { StackFault } from './compose-files.ts'
import type { ModelSource, ComposeModel } from './compose-model.ts'
import { observeProject } from './observe.ts'
import { renderOverride } from './override.ts'
import type { ServiceOverride } from './override.ts'
import { findPendingEdits } from './pending-edits.ts'
import { planAction } from './plan.ts'
import type { Plan } from './plan.ts'
import type { ProjectLocks } from './project-locks.ts'
import { forgetStalePasses, overridesFor } from './stack-state.ts'
import type { StackState } from './stack-state.ts'
import { applyPlan, gateServices, takeDown } from './stagelet-action.ts'
import type { Action, ActionDeps, ActionResult } from './stagelet-action.ts'
import { describeFaults, validateValues } from './validate-values.ts'

export interface PassDeps extends ActionDeps {
  readonly models: ModelSource
  readonly locks: ProjectLocks
  readonly allowDirs: readonly string[]
  /** Called with the Compose project as soon as it is known. */
  readonly onProject: (project: string) => void
}

export interface PassSignals {
  readonly isSuperseded: () => boolean
  /** Aborts a gate when something newer is wanted or the loop stops. */
  readonly signal: AbortSignal
}

const resyncMs = 30_000
const healWindowMs = 10 * 60_000

/** 5 s doubling to 5 min. */
const delayAfter = (failures: number): number =>
  Math.min(5_000 * 2 ** Math.min(failures - 1, 10), 300_000)

const noteFailure = (deps: PassDeps, state: StackState): number => {
  const { key } = state.want
  state.failures = state.failedKey === key ? state.failures + 1 : 1
  state.failedKey = key
  const delay = delayAfter(state.failures)
  state.retryAtMs = deps.clock.now() + delay
  return delay
}

/** How long an action has to wait: for the backoff of a failure, or because healing keeps not lasting. */
const waitBeforeActing = (deps: PassDeps, state: StackState, healing: boolean): number => {
  const now = deps.clock.now()
  const retry = state.failedKey === state.want.key ? state.retryAtMs - now : 0
  state.heals = state.heals.filter((at) => now - at < healWindowMs)
  const last = state.heals.at(-1)
  const guard = healing && last !== undefined ? last + delayAfter(state.heals.length) - now : 0
  return Math.max(0, retry, guard)
}

const stopWith = (state: StackState, reason: string, message: string): number => {
  state.fault = { reason, message }
  state.phase = 'Failed'
  return resyncMs
}

const readModel = async (deps: PassDeps, state: StackState): Promise<ComposeModel | undefined> => {
  const { desired, env, mask } = state.want
  const result = await deps.models.read({ spec: desired.compose, env, mask })
  if ('fault' in result) {
    state.fault = result.fault
    state.missingVariables = result.missingVariables
    return undefined
  }
  state.fault = undefined
  state.model = result.model
  state.missingVariables = result.model.missingVariables
  return result.model
}

const observe = async (
  deps: PassDeps,
  state: StackState,
  project: string | undefined,
): Promise<void> => {
  if (project === undefined || project === '') return
  deps.onProject(project)
  state.containers = await observeProject(deps.engine, project)
  forgetStalePasses(state)
}

/**
 * A project name is free to choose, so it may be that of a stack elsewhere on the machine: what was
 * made from a folder that this agent may not use is not touched.
 */
const findForeign = async (deps: PassDeps, state: StackState): Promise<StackFault | undefined> => {
  const directories = new Set(state.containers.flatMap((c) => c.directory ?? []))
  for (const directory of directories) {
    const fault = await checkAllowed(directory, deps.allowDirs)
    if (fault !== undefined)
      return {
        ...fault,
        message: `the Compose project belongs to another folder: ${fault.message}`,
      }
  }
  return undefined
}

const planFor = (
  deps: PassDeps,
  state: StackState,
  model: ComposeModel,
  overrides: readonly ServiceOverride[],
): { plan: Plan; full: boolean } => {
  const { desired } = state.want
  const deployed = deps.stateFile.get(desired.uid)
  const redeploy = deployed !== undefined && deployed.redeploy !== desired.redeploy
  const full = redeploy || (desired.compose.onChange === 'Deploy' && state.pendingEdits.length > 0)
  const plan = planAction({
    services: model.services,
    wanted: new Map(overrides.map((o) => [o.service, o.digest])),
    containers: state.containers,
    composeVersion: deps.compose.version,
    deployed: deployed?.services,
    pending: state.pendingEdits,
    full,
    nowMs: deps.clock.now(),
  })
  return { plan, full: full || plan.steps.some((s) => s.services.length === 0) }
}

/** Services to judge: those just touched, and those that see secrets and have not passed yet. */
const toGate = (state: StackState, { model, overrides, plan }: Action): Map<string, string> => {
  const digests = new Map(overrides.map((o) => [o.service, o.digest]))
  const unproven = overrides
    .filter((o) => state.passed[o.service] !== o.digest)
    .map((o) => o.service)
  const present = new Set(state.containers.map((c) => c.service))
  const scaledToZero = new Set(model.services.filter((s) => s.scale === 0).map((s) => s.name))
  const names = [...plan.affected, ...unproven.filter((name) => present.has(name))]
  return new Map(
    names.filter((name) => !scaledToZero.has(name)).map((name) => [name, digests.get(name) ?? '']),
  )
}

const act = async (
  deps: PassDeps,
  state: StackState,
  action: Action,
  { isSuperseded, signal }: PassSignals,
): Promise<ActionResult> => {
  if (action.plan.steps.length > 0) {
    const result = await applyPlan(deps, state, action, isSuperseded)
    if (result !== 'done') return result
  }
  const wanted = toGate(state, action)
  if (wanted.size === 0) return 'done'
  return await gateServices(deps, state, { project: action.model.projectName, wanted }, signal)
}

/** After the labels are right: what would the user's edits change? Asked once for each state of the files. */
const checkPendingEdits = async (
  deps: PassDeps,
  state: StackState,
  { model, overrides }: Action,
): Promise<void> => {
  const { desired, env, mask } = state.want
  const deployed = deps.stateFile.get(desired.uid)
  if (deployed?.signature === model.signature) {
    state.pendingEdits = []
    state.pendingFor = model.signature
    return
  }
  if (state.pendingFor === model.signature) return
  try {
    const override = renderOverride(overrides)
    const request = {
      model,
      containers: state.containers,
      override,
      cwd: desired.compose.directory,
      env,
      mask,
    }
    state.pendingEdits = await findPendingEdits(deps.compose, request)
    state.pendingFor = model.signature
  } catch (error) {
    deps.log.warn({ error: messageOf(error) }, 'could not ask which services an edit would change')
    return
  }
  const services = [...new Set(state.containers.map((c) => c.service))].sort()
  const known = deployed ?? {
    project: model.projectName,
    services,
    redeploy: desired.redeploy,
    signature: '',
  }
  const signature = state.pendingEdits.length === 0 ? model.signature : known.signature
  await deps.stateFile.set(desired.uid, { ...known, signature })
}

const settle = async (deps: PassDeps, state: StackState, action: Action): Promise<number> => {
  state.phase = 'Settled'
  state.settledKey = state.want.key
  state.failures = 0
  state.failedKey = ''
  deps.publish()
  await checkPendingEdits(deps, state, action)
  const deploys = state.want.desired.compose.onChange === 'Deploy' && state.pendingEdits.length > 0
  return deploys ? 0 : resyncMs
}

const release = async (deps: PassDeps, state: StackState): Promise<number> => {
  const { desired } = state.want
  if (desired.release === 'Down') {
    if (desired.paused) {
      state.phase = 'Paused'
      return resyncMs
    }
    const known = deps.stateFile.get(desired.uid)?.project ?? desired.compose.projectName
    const project = known ?? (await readModel(deps, state))?.projectName
    if (project !== undefined && project !== '') {
      await observe(deps, state, project)
      const foreign = await findForeign(deps, state)
      if (foreign !== undefined) return stopWith(state, foreign.reason, foreign.message)
      const result = await deps.locks.run(project, () => takeDown(deps, state, project))
      if (result === 'failed') return noteFailure(deps, state)
    }
    state.containers = []
  }
  await deps.stateFile.forget(desired.uid)
  deps.locks.release(desired.uid)
  state.fault = undefined
  state.phase = 'Released'
  return resyncMs
}

/** Returns in how many ms to look again at the latest. Throws only what the engine's absence causes. */
export const runPass = async (
  deps: PassDeps,
  state: StackState,
  signals: PassSignals,
): Promise<number> => {
  const { desired } = state.want
  if (desired.release !== undefined)
    return state.phase === 'Released' ? resyncMs : await release(deps, state)
  const model = await readModel(deps, state)
  await observe(
    deps,
    state,
    model?.projectName ?? deps.stateFile.get(desired.uid)?.project ?? desired.compose.projectName,
  )
  if (desired.paused) {
    state.phase = 'Paused'
    return resyncMs
  }
  if (model === undefined) {
    state.phase = 'Failed'
    return resyncMs
  }
  const foreign = await findForeign(deps, state)
  if (foreign !== undefined) return stopWith(state, foreign.reason, foreign.message)
  if (!deps.locks.claim(model.projectName, desired.uid)) {
    const message = `another stagelet on this agent already runs the Compose project "${model.projectName}": give this one a spec.compose.projectName of its own`
    return stopWith(state, 'ProjectClaimed', message)
  }
  const overrides = overridesFor(
    state.want,
    model.services.map((s) => s.name),
  )
  const faults = overrides.flatMap((o) => validateValues(o.service, o.entries))
  if (faults.length > 0) return stopWith(state, 'ValueInvalid', describeFaults(faults))
  const action: Action = { model, overrides, ...planFor(deps, state, model, overrides) }
  const mustAct = action.plan.steps.length > 0
  if (!mustAct && toGate(state, action).size === 0) return await settle(deps, state, action)
  const healing = mustAct && state.settledKey === state.want.key && !action.full
  const wait = waitBeforeActing(deps, state, healing)
  if (wait > 0) return Math.min(wait, resyncMs)
  if (healing) state.heals.push(deps.clock.now())
  const result = await deps.locks.run(model.projectName, () => act(deps, state, action, signals))
  if (result === 'superseded') return 0
  if (result === 'failed') return noteFailure(deps, state)
  return await settle(deps, state, action)
}
