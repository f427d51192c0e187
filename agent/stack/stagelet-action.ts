// One action on one stack: cleans up after Compose, then runs `up` step by step. A failure is put into the state
// and not thrown.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { findRunning } from '../../src/process/running.ts'
import type { StackAction, ActionDeps, ActionResult, PassSignals } from '../actions/action.ts'
import { applySteps } from '../actions/apply-steps.ts'
import { clearProject } from '../actions/cleanup.ts'
import { workingFlags } from '../actions/compose-up.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { noteDelivered } from './lost-keys.ts'
import { observeProject } from '../observed/observe.ts'
import type { ObservedContainer } from '../observed/container.ts'
import { restartsIn } from '../actions/plan.ts'
import { deploymentPlace } from '../borders/project-claim.ts'
import {
  healthyServices,
  withoutStalePasses,
  type StackCell,
  type StackChange,
  type StackState,
} from '../state/stack-state.ts'

/**
 * True while a Compose process of an earlier, killed agent is at work on the stack: two at once disturb each other, so
 * the first action waits. A process older than the deadline is ignored, and not ended: a person may have typed the
 * same command.
 */
export const isLeftAtWork = async (
  deps: Pick<ActionDeps, 'upDeadlineMs' | 'log'>,
  cell: StackCell,
  model: Pick<ComposeModel, 'projectName'>,
): Promise<boolean> => {
  const all = await findRunning(workingFlags(model))
  const left = all.find(({ ageMs }) => ageMs < deps.upDeadlineMs)
  const what = left && `Compose (process ${left.pid}), left at work by an agent before this one`
  const before = cell.state.waitingFor[0]
  cell.put({ waitingFor: what === undefined ? [] : [what] })
  if (what === undefined) return false
  if (what !== before) deps.log.warn({ pid: left?.pid }, `waiting for ${what}`)
  cell.publish({ phase: 'Pending' })
  return true
}

/** Written before the first `up`, so that the agent finishes the action after a crash. */
const recordIntent = async (
  deps: ActionDeps,
  state: StackState,
  { model, plan }: StackAction,
): Promise<void> => {
  const { uid, redeploy } = state.target.desired
  const before = deps.stateFile.get(uid)
  const present = state.containers.filter((c) => c.state === 'running').map((c) => c.service)
  const names = new Set([...(before?.services ?? present), ...plan.affected])
  await deps.stateFile.set(uid, {
    ...before,
    // A service counts as lasting, not as a job, until it is seen to end by itself.
    lasting: [...new Set([...(before?.lasting ?? []), ...plan.affected])].sort(),
    ...deploymentPlace(state, model.projectName),
    services: model.services.map((s) => s.name).filter((name) => names.has(name)),
    redeploy: before?.redeploy ?? redeploy,
    signature: before?.signature ?? '',
  })
}

/** Notes after a full `up` that the user's files are deployed as they were read. */
const recordFull = async (
  deps: ActionDeps,
  state: StackState,
  { model }: StackAction,
): Promise<void> =>
  await deps.stateFile.set(state.target.desired.uid, {
    ...deps.stateFile.get(state.target.desired.uid),
    ...deploymentPlace(state, model.projectName),
    services: model.services.map((s) => s.name),
    redeploy: state.target.desired.redeploy,
    signature: model.signature,
  })

const newIn = (
  after: readonly ObservedContainer[],
  before: readonly ObservedContainer[],
): string[] => {
  const old = new Set(before.map((c) => c.id))
  return [...new Set(after.filter((c) => !old.has(c.id)).map((c) => c.service))].sort()
}

/** The rollout with the services whose containers it has made anew. */
const countRecreated = (
  { rollout, target, containers }: StackState,
  { plan, full }: StackAction,
  before: readonly ObservedContainer[],
): StackState['rollout'] => {
  const recreated = newIn(containers, before)
  const old = new Map(before.map((c) => [c.id, c.startedAt]))
  const isRestarted = (name: string): boolean =>
    containers.some(
      ({ service, id, startedAt }) => service === name && old.has(id) && old.get(id) !== startedAt,
    )
  const restarted = restartsIn(plan).filter(isRestarted)
  const meant = new Set(plan.affected.filter((name) => !plan.peers.includes(name)))
  const along = recreated.filter((name) => !meant.has(name))
  const cascaded = full ? [] : [...along, ...restarted].sort()
  return {
    ...(rollout ?? { revision: target.desired.revision, result: 'Progressing' as const }),
    recreated,
    ...(cascaded.length > 0 && { cascaded }),
  }
}

/** What changes when an action begins. */
const begun = (state: StackState, { plan }: StackAction, nowMs: number): StackChange => {
  const { ungated, settled, target } = state
  const { revision } = target.desired
  return {
    phase: 'Applying',
    ungated: new Set([...ungated, ...plan.affected, ...restartsIn(plan)]),
    // Something else runs from here on: a later action for the settled key is no healing then.
    ...(settled.key !== target.key && { settled: { ...settled, key: '' } }),
    rollout: { revision, result: 'Progressing', startedAt: toFineTimestamp(nowMs) },
    healthyBefore: healthyServices(state, nowMs),
  }
}

/** Carries out the steps of the plan. The gate for all services follows apart. */
export const applyPlan = async (
  deps: ActionDeps,
  cell: StackCell,
  action: StackAction,
  signals: PassSignals,
): Promise<ActionResult> => {
  const { model, full } = action
  const { containers: before } = cell.state
  cell.publish(begun(cell.state, action, deps.clock.now()))
  await recordIntent(deps, cell.state, action)
  await noteDelivered(deps.stateFile, model, cell.state)
  await clearProject(deps, model.projectName)
  const result = await applySteps(deps, cell, action, signals)
  if (result === 'done' && full && cell.state.stuck.size === 0) {
    cell.put({ pendingEdits: [] })
    await recordFull(deps, cell.state, action)
  }
  const containers = await observeProject(deps.engine, model.projectName)
  cell.put({ containers, passed: withoutStalePasses(cell.state.passed, containers) })
  cell.put({ rollout: countRecreated(cell.state, action, before) })
  return result
}
