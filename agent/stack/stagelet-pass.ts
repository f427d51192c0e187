// One pass of a stagelet: looks at files and engine, does at most one action, and says when to look again. A pass is
// level-triggered: it does not matter what woke it.
import type { StackAction, ActionResult, PassSignals } from '../actions/action.ts'
import { findUnhealthy } from '../observed/unhealthy-services.ts'
import { failedStuck } from '../actions/apply-steps.ts'
import { eventLagMs, isExitUnclear, lastingAfter } from '../observed/drift.ts'
import { awaitsLostKeys, noteDelivered } from './lost-keys.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { startRollback } from '../actions/rollback.ts'
import { restartsIn, withoutServices } from '../actions/plan.ts'
import { prepareOverrides } from '../actions/prepare-overrides.ts'
import { fileDigests } from '../files/stack-files.ts'
import { noRetry, type StackCell, type StackChange, type StackState } from '../state/stack-state.ts'
import { applyPlan, isLeftAtWork } from './stagelet-action.ts'
import { noDiverging } from '../observed/pending-edits.ts'
import { noteEditsAfterRollout, divergingNow, lookAtEdits } from './stagelet-edits.ts'
import { finishedRollout, gateServices } from '../actions/stagelet-gate.ts'
import { planFor, unprovenIn } from './stagelet-plan.ts'
import {
  claim,
  releaseProject,
  readModel,
  resyncMs,
  retryLater,
  stoppedIn,
  stopWith,
  type PassDeps,
} from './stagelet-observe.ts'
import { driftWhilePaused, recordStoppedByHand, delayHealing } from './stagelet-drift.ts'
import { projectClaimOf, findRenamed } from '../borders/project-claim.ts'
import { release } from './stagelet-release.ts'
import { changeDeployment } from '../state/state-file.ts'

export type { PassDeps } from './stagelet-observe.ts'

const leftLookMs = 500

/** How long a failed target still has to wait before it is tried again. */
const waitForRetry = ({ clock }: PassDeps, state: StackState): number =>
  state.retry.key === state.target.key ? Math.max(0, state.retry.atMs - clock.monotonic()) : 0

/** Services for the gate: those that were changed, and those with secrets that have not passed yet. */
const toGate = (
  state: StackState,
  { model, overrides, plan, blocked }: Omit<StackAction, 'stepsAfter'>,
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
  cell: StackCell,
  action: StackAction,
  signals: PassSignals,
): Promise<ActionResult> => {
  const { stuck, containers: before } = cell.state
  // Failures of the last action say nothing of this one.
  const left = new Map([...stuck].filter(([name]) => action.blocked.includes(name)))
  cell.put({ gateFailure: undefined, stuck: left })
  if (action.plan.steps.length > 0) {
    const isFresh = action.plan.steps[0]?.services.length === 0
    const diverging = isFresh ? noDiverging : divergingNow(cell.state)
    const result = await applyPlan(deps, cell, action, signals)
    if (result !== 'done') return result
    if (cell.state.stuck.size === 0)
      cell.put(await noteEditsAfterRollout(deps, cell.state, { action, diverging, before }))
  }
  const wanted = toGate(cell.state, action)
  if (wanted.size > 0) {
    const gated = { project: action.model.projectName, wanted }
    const result = await gateServices(deps, cell, gated, signals.signal)
    if (result !== 'done') return result
  }
  if (cell.state.stuck.size === 0) return 'done'
  cell.put(failedStuck(deps, cell.state))
  return 'failed'
}

/** Once the labels are right, asks Compose for pending edits; where none can be, only if a service has dependencies. */
const checkEdits = async (
  deps: PassDeps,
  state: StackState,
  { model, overrides }: Pick<StackAction, 'model' | 'overrides'>,
): Promise<StackChange> => {
  const deployed = deps.stateFile.get(state.target.desired.uid)
  const isDeployed = deployed?.signature === model.signature
  const none = isDeployed ? { pendingEdits: [] } : {}
  if (isDeployed && model.services.every((s) => s.dependsOn.length === 0)) return none
  const now = { ...state, ...none }
  return { ...none, ...(await lookAtEdits(deps, now, { model, overrides }, [])) }
}

/** What changes where all is right. */
const settled = (deps: PassDeps, state: StackState): StackChange => {
  const { target, containers, drift, rollout, unhealthy } = state
  return {
    phase: 'Settled',
    deployed: deps.stateFile.get(target.desired.uid)?.redeploy,
    ...(rollout?.result === 'Progressing' && { rollout: finishedRollout(deps, state) }),
    stuck: new Map(),
    interrupted: new Set(),
    unhealthy: findUnhealthy(containers, target.mask, unhealthy),
    settled: { ...state.settled, key: target.key, containers },
    retry: noRetry,
    stoppedSinceMs: undefined,
    ...(drift !== undefined && { drift: { ...drift, state: 'Healed' } }),
  }
}

const settle = async (
  deps: PassDeps,
  cell: StackCell,
  action: Pick<StackAction, 'model' | 'overrides'>,
): Promise<number> => {
  cell.put(settled(deps, cell.state))
  await recordStoppedByHand(deps, cell.state, false)
  const { mounts } = action.model
  // The stack runs on, but its next rollout would fail.
  cell.publish('fault' in mounts ? { fault: mounts.fault } : {})
  const { desired, entries } = cell.state.target
  const before = deps.stateFile.get(desired.uid)?.lasting ?? []
  const lasting = lastingAfter(before, cell.state.containers, deps.exits.exitOf)
  await changeDeployment(deps.stateFile, desired.uid, { lasting })
  await noteDelivered(deps.stateFile, action.model, cell.state)
  await deps.files.sweep(desired.uid, fileDigests(entries))
  cell.put(await checkEdits(deps, cell.state, action))
  // The engine may have gone down while the gate ran.
  if (stoppedIn(deps, cell.state).size > 0) return 0
  const deploys = desired.compose.onChange === 'Deploy' && cell.state.pendingEdits.length > 0
  return deploys ? 0 : resyncMs
}

/** Claims the project of the stack; where its files cannot be read, the project that they named last. */
const claimStack = async (deps: PassDeps, state: StackState): Promise<StackChange> => {
  const { fault, model } = state
  const project = model?.projectName ?? deps.stateFile.get(state.target.desired.uid)?.project
  if (fault?.reason === 'DirectoryNotAllowed' || project === undefined || project === '') {
    return releaseProject(deps, state)
  }
  const { uid } = state.target.desired
  const renamed = await findRenamed(deps, { uid, project })
  if (renamed === undefined) return await claim(deps, state, projectClaimOf(project, model))
  // What runs is told under the name that it has.
  const claimed = await claim(deps, state, projectClaimOf(renamed.deployed))
  return { fault: renamed.fault, ...claimed, model: undefined }
}

const isLeftAlone = (deps: PassDeps, cell: StackCell): boolean => {
  // A change that a person is making is no drift. The loop is woken when the person is done.
  if (deps.manualRuns.isBusy()) return true
  if (!cell.state.target.desired.paused) return false
  cell.publish({ phase: 'Paused', ...driftWhilePaused(deps, cell.state) })
  return true
}

/** Heals other services while a failed one waits to be tried again. True where something was healed. */
const healOthers = async (
  deps: PassDeps,
  cell: StackCell,
  action: StackAction,
  signals: PassSignals,
): Promise<boolean> => {
  const { stuck, rollout } = cell.state
  const held = [...stuck.keys()]
  const others = withoutServices(action.plan, held)
  if (held.length === 0 || others.affected.length === 0) return false
  const asked = { ...action, plan: others, asked: false }
  const { waitMs, blocked } = await delayHealing(deps, cell, asked)
  const left = [...held, ...blocked]
  const plan = withoutServices(others, blocked)
  if (waitMs > 0 || plan.affected.length === 0) return false
  const part: StackAction = { ...action, plan, full: false, blocked: left }
  await deps.locks.run(action.model.projectName, () => act(deps, cell, part, signals))
  cell.put({ phase: 'Failed', rollout })
  return cell.state.gateFailure === undefined && cell.state.stuck.size === held.length
}

/**
 * For how long (ms) the first action waits for what an earlier agent may have left at work. That may have ended
 * after the look at the containers: then a new look comes first.
 */
const restForLeft = async (
  deps: PassDeps,
  cell: StackCell,
  model: ComposeModel,
): Promise<number | undefined> => {
  if (cell.state.isSoleAgent) return undefined
  if (await isLeftAtWork(deps, cell, model)) return leftLookMs
  cell.put({ isSoleAgent: true })
  return deps.stateFile.get(cell.state.target.desired.uid) === undefined ? undefined : 0
}

/** Plans the action and carries it out. */
const pursue = async (
  deps: PassDeps,
  cell: StackCell,
  overridden: Pick<StackAction, 'model' | 'overrides'>,
  signals: PassSignals,
): Promise<number> => {
  const { model } = overridden
  const lost = await awaitsLostKeys(deps.stateFile, model.projectName, cell.state)
  if (lost !== undefined) return stopWith(cell, { reason: 'KeysMissing', message: lost })
  const { asked, edits, ...planned } = await planFor(deps, cell.state, overridden)
  cell.put(edits)
  const action: StackAction = { ...overridden, ...planned, blocked: [] }
  const mustAct = action.plan.steps.length > 0
  if (!mustAct && toGate(cell.state, action).size === 0 && cell.state.stuck.size === 0) {
    const { uid, redeploy } = cell.state.target.desired
    // Compose has been asked, and would change nothing: the request is followed.
    if (asked && divergingNow(cell.state) !== undefined)
      await changeDeployment(deps.stateFile, uid, { redeploy })
    return await settle(deps, cell, action)
  }
  const leftMs = mustAct ? await restForLeft(deps, cell, model) : undefined
  if (leftMs !== undefined) return leftMs
  const restMs = Math.min(waitForRetry(deps, cell.state), resyncMs)
  if (restMs > 0) return (await healOthers(deps, cell, action, signals)) ? 0 : restMs
  const { waitMs, blocked } = await delayHealing(deps, cell, { ...action, asked })
  if (waitMs > 0) return Math.min(waitMs, resyncMs)
  const now: StackAction = { ...action, plan: withoutServices(action.plan, blocked), blocked }
  const result = await deps.locks.run(model.projectName, () => act(deps, cell, now, signals))
  if (result === 'superseded') return 0
  if (result === 'failed') return (await startRollback(deps, cell)) ? 0 : retryLater(deps, cell)
  if (blocked.length > 0) {
    // The next pass waits for the services that were left out.
    cell.put({ phase: 'Settled' })
    return 0
  }
  return await settle(deps, cell, action)
}

/** Returns in how many ms to look again at the latest. Throws only where the engine does not answer. */
export const runPass = async (
  deps: PassDeps,
  cell: StackCell,
  signals: PassSignals,
): Promise<number> => {
  const { uid, paused, release: isReleased } = cell.state.target.desired
  if (isReleased !== undefined)
    return cell.state.phase === 'Released' ? resyncMs : await release(deps, cell)
  cell.put(await readModel(deps, cell.state))
  cell.put(await claimStack(deps, cell.state))
  // A paused stack is not started after a reboot either.
  if ((deps.stateFile.get(uid)?.paused ?? false) !== paused)
    await changeDeployment(deps.stateFile, uid, { paused })
  if (isLeftAlone(deps, cell)) return resyncMs
  const { fault, model, phase, rollout, target, containers } = cell.state
  if (fault !== undefined || model === undefined) {
    cell.put({ phase: 'Failed' })
    return resyncMs
  }
  // A fault that is over was none of the revision.
  if (phase === 'Failed' && rollout?.result !== 'Failed') cell.put({ phase: 'Pending' })
  const prepared = await prepareOverrides(target, model, deps)
  if ('fault' in prepared) return stopWith(cell, prepared.fault)
  const { overrides, unmounted: unmountedFiles } = prepared
  cell.put({ unmountedFiles })
  if (isExitUnclear(containers, deps.exits.exitOf, deps.clock.now())) return eventLagMs
  return await pursue(deps, cell, { model, overrides }, signals)
}
