// One pass of a stagelet: looks at files and engine, does at most one action, and says when to look again. A pass is
// level-triggered: it does not matter what woke it.
import type { Action, ActionResult, PassSignals } from '../actions/action.ts'
import { findUnhealthy } from '../observed/unhealthy-services.ts'
import { failStuck } from '../actions/apply-steps.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import { eventLagMs, isExitUnclear, lastingAfter } from '../observed/drift.ts'
import { awaitsLostKeys, noteDelivered } from './delivered-keys.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { goBack } from './going-back.ts'
import { restartsIn, withoutServices } from '../actions/plan.ts'
import { prepareOverrides } from '../actions/prepare-overrides.ts'
import { fileDigests } from '../files/stack-files.ts'
import type { StackState } from './stack-state.ts'
import { applyPlan, isLeftAtWork } from './stagelet-action.ts'
import { noDiverging } from '../actions/pending-edits.ts'
import { noteEditsAfterRollout, divergingNow, lookAtEdits } from './stagelet-edits.ts'
import { finishRollout, gateServices } from './stagelet-gate.ts'
import { planFor, unprovenIn } from './stagelet-plan.ts'
import {
  claim,
  releaseProject,
  noteFailure,
  readModel,
  resyncMs,
  stoppedIn,
  stopWith,
  type PassDeps,
} from './stagelet-observe.ts'
import { endDrift, restForDrift, tellPaused } from './stagelet-drift.ts'
import { claimOf, findRenamed } from './project-claim.ts'
import { release } from './stagelet-release.ts'

export type { PassDeps } from './stagelet-observe.ts'

const leftLookMs = 500

/** How long a failed want still has to wait before it is tried again. */
const waitForRetry = ({ clock }: PassDeps, state: StackState): number =>
  state.failedKey === state.want.key ? Math.max(0, state.retryAtMs - clock.monotonic()) : 0

/** Services for the gate: those that were changed, and those with secrets that have not passed yet. */
const toGate = (
  state: StackState,
  { model, overrides, plan, blocked }: Omit<Action, 'stepsAfter'>,
): Map<string, string> => {
  const digests = new Map(overrides.map((o) => [o.service, o.digest]))
  const own = new Set(model.services.map((s) => s.name))
  const left = [...state.ungated].filter((name) => own.has(name))
  const present = new Set(state.containers.map((c) => c.service))
  const scaledToZero = new Set(model.services.filter((s) => s.scale === 0).map((s) => s.name))
  const names = [
    ...plan.affected,
    ...restartsIn(plan),
    ...[...left, ...unprovenIn(state, overrides)].filter((name) => present.has(name)),
  ]
  const isLeft = (name: string): boolean => blocked.includes(name) || scaledToZero.has(name)
  const gated = names.filter((name) => !isLeft(name) && !state.stuck.has(name))
  return new Map(gated.map((name) => [name, digests.get(name) ?? '']))
}

const act = async (
  deps: PassDeps,
  state: StackState,
  action: Action,
  signals: PassSignals,
): Promise<ActionResult> => {
  // Failures of the last action say nothing of this one.
  state.gateFailure = undefined
  state.stuck = new Map([...state.stuck].filter(([name]) => action.blocked.includes(name)))
  if (action.plan.steps.length > 0) {
    const isFresh = action.plan.steps[0]?.services.length === 0
    const known = isFresh ? noDiverging : divergingNow(state)
    const before = state.containers
    const result = await applyPlan(deps, state, action, signals)
    if (result !== 'done') return result
    if (state.stuck.size === 0) await noteEditsAfterRollout(deps, state, { action, known, before })
  }
  const wanted = toGate(state, action)
  if (wanted.size > 0) {
    const gated = { project: action.model.projectName, wanted }
    const result = await gateServices(deps, state, gated, signals.signal)
    if (result !== 'done') return result
  }
  return state.stuck.size === 0 ? 'done' : failStuck(deps, state)
}

/** Once the labels are right, asks Compose for pending edits; where none can be, only if a service has dependencies. */
const checkEdits = async (
  deps: PassDeps,
  state: StackState,
  { model, overrides }: Pick<Action, 'model' | 'overrides'>,
): Promise<void> => {
  const deployed = deps.stateFile.get(state.want.desired.uid)
  const isDeployed = deployed?.signature === model.signature
  if (isDeployed) state.pendingEdits = []
  if (!isDeployed || model.services.some((s) => s.dependsOn.length > 0))
    await lookAtEdits(deps, state, { model, overrides }, [])
}

const settle = async (
  deps: PassDeps,
  state: StackState,
  action: Pick<Action, 'model' | 'overrides'>,
): Promise<number> => {
  state.phase = 'Settled'
  if (state.rollout?.result === 'Progressing') finishRollout(deps, state)
  state.stuck = new Map()
  state.interrupted = new Set()
  state.unhealthy = findUnhealthy(state.containers, state.want.mask, state.unhealthy)
  state.settledKey = state.want.key
  state.failures = 0
  state.failedKey = ''
  await endDrift(deps, state)
  // The stack runs on, but its next rollout would fail.
  if ('fault' in action.model.mounts) state.fault = action.model.mounts.fault
  deps.publish()
  await recordLasting(deps, state)
  await noteDelivered(deps.stateFile, action.model, state)
  await deps.files.sweep(state.want.desired.uid, fileDigests(state.want.entries))
  await checkEdits(deps, state, action)
  // The engine may have gone down while the gate ran.
  if (stoppedIn(deps, state).size > 0) return 0
  const deploys = state.want.desired.compose.onChange === 'Deploy' && state.pendingEdits.length > 0
  return deploys ? 0 : resyncMs
}

const recordLasting = async (deps: PassDeps, { want, containers }: StackState): Promise<void> => {
  const { uid } = want.desired
  const known = deps.stateFile.get(uid)
  if (known === undefined) return
  const lasting = lastingAfter(known.lasting ?? [], containers, deps.exits.of)
  await deps.stateFile.set(uid, { ...known, lasting })
}

/** A paused stack is not started after a reboot either. */
const recordPaused = async (deps: PassDeps, { want }: StackState): Promise<void> => {
  const { uid, paused } = want.desired
  const known = deps.stateFile.get(uid)
  if (known !== undefined && (known.paused ?? false) !== paused)
    await deps.stateFile.set(uid, { ...known, paused })
}

/** Claims the project of the stack; where its files cannot be read, the project that they named last. */
const claimStack = async (deps: PassDeps, state: StackState): Promise<StackFault | undefined> => {
  const { fault, model } = state
  const project = model?.projectName ?? deps.stateFile.get(state.want.desired.uid)?.project
  if (fault?.reason === 'DirectoryNotAllowed' || project === undefined || project === '') {
    releaseProject(deps, state)
    return fault
  }
  const { uid } = state.want.desired
  const renamed = await findRenamed(deps, { uid, project })
  if (renamed === undefined) return (await claim(deps, state, claimOf(project, model))) ?? fault
  // What runs is told under the name that it has.
  state.model = undefined
  return (await claim(deps, state, claimOf(renamed.deployed))) ?? renamed.fault
}

const isLeftAlone = (deps: PassDeps, state: StackState): boolean => {
  // A change that a person is making is no drift. The loop is woken when the person is done.
  if (deps.manualRuns.isBusy()) return true
  if (!state.want.desired.paused) return false
  state.phase = 'Paused'
  tellPaused(deps, state)
  return true
}

/** Heals other services while a failed one waits to be tried again. True where something was healed. */
const healOthers = async (
  deps: PassDeps,
  state: StackState,
  action: Action,
  signals: PassSignals,
): Promise<boolean> => {
  const { stuck, rollout } = state
  const held = [...stuck.keys()]
  const others = withoutServices(action.plan, held)
  if (held.length === 0 || others.affected.length === 0) return false
  const { waitMs, blocked } = await restForDrift(deps, state, {
    ...action,
    plan: others,
    asked: false,
  })
  const left = [...held, ...blocked]
  const plan = withoutServices(others, blocked)
  if (waitMs > 0 || plan.affected.length === 0) return false
  const part: Action = { ...action, plan, full: false, blocked: left }
  await deps.locks.run(action.model.projectName, () => act(deps, state, part, signals))
  state.phase = 'Failed'
  state.rollout = rollout
  return state.gateFailure === undefined && state.stuck.size === held.length
}

/**
 * For how long (ms) the first action waits for what an agent before this one may have left at work. That may have ended
 * after the look at the containers: then a new look comes first.
 */
const restForLeft = async (
  deps: PassDeps,
  state: StackState,
  model: ComposeModel,
): Promise<number | undefined> => {
  if (state.isAlone) return undefined
  if (await isLeftAtWork(deps, state, model)) return leftLookMs
  state.isAlone = true
  return deps.stateFile.get(state.want.desired.uid) === undefined ? undefined : 0
}

/** Plans the action and carries it out. */
const pursue = async (
  deps: PassDeps,
  state: StackState,
  overridden: Pick<Action, 'model' | 'overrides'>,
  signals: PassSignals,
): Promise<number> => {
  const { model } = overridden
  const lost = await awaitsLostKeys(deps.stateFile, model.projectName, state)
  if (lost !== undefined) return stopWith(state, 'KeysMissing', lost)
  const { asked, ...planned } = await planFor(deps, state, overridden)
  const action: Action = { ...overridden, ...planned, blocked: [] }
  const mustAct = action.plan.steps.length > 0
  if (!mustAct && toGate(state, action).size === 0 && state.stuck.size === 0)
    return await settle(deps, state, action)
  const leftMs = mustAct ? await restForLeft(deps, state, model) : undefined
  if (leftMs !== undefined) return leftMs
  const restMs = Math.min(waitForRetry(deps, state), resyncMs)
  if (restMs > 0) return (await healOthers(deps, state, action, signals)) ? 0 : restMs
  const { waitMs, blocked } = await restForDrift(deps, state, { ...action, asked })
  if (waitMs > 0) return Math.min(waitMs, resyncMs)
  const now: Action = { ...action, plan: withoutServices(action.plan, blocked), blocked }
  const result = await deps.locks.run(model.projectName, () => act(deps, state, now, signals))
  if (result === 'superseded') return 0
  if (result === 'failed') return (await goBack(deps, state)) ? 0 : noteFailure(deps, state)
  if (blocked.length > 0) {
    // The next pass waits for the services that were left out.
    state.phase = 'Settled'
    return 0
  }
  return await settle(deps, state, action)
}

/** Returns in how many ms to look again at the latest. Throws only where the engine does not answer. */
export const runPass = async (
  deps: PassDeps,
  state: StackState,
  signals: PassSignals,
): Promise<number> => {
  const { desired } = state.want
  if (desired.release !== undefined)
    return state.phase === 'Released' ? resyncMs : await release(deps, state)
  const model = await readModel(deps, state)
  state.fault = await claimStack(deps, state)
  await recordPaused(deps, state)
  if (isLeftAlone(deps, state)) return resyncMs
  if (state.fault !== undefined || model === undefined) {
    state.phase = 'Failed'
    return resyncMs
  }
  // A fault that is over was none of the revision.
  if (state.phase === 'Failed' && state.rollout?.result !== 'Failed') state.phase = 'Pending'
  const prepared = await prepareOverrides(state.want, model, deps.files)
  if ('fault' in prepared) return stopWith(state, prepared.fault.reason, prepared.fault.message)
  const { overrides, unmounted } = prepared
  state.unmountedFiles = unmounted
  if (isExitUnclear(state.containers, deps.exits.of, deps.clock.now())) return eventLagMs
  return await pursue(deps, state, { model, overrides }, signals)
}
