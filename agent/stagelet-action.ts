// One action on one stack: clean up, `up` step by step; and taking a stack down. What went wrong
// becomes part of the state; nothing here throws for it.
import { toTimestamp } from '../src/kernel/clock.ts'
import { findRunning } from '../src/process/running.ts'
import type { Action, ActionDeps, ActionResult, PassSignals } from './action.ts'
import { applySteps } from './apply-steps.ts'
import { clearProject } from './cleanup.ts'
import { workingFlags } from './compose-up.ts'
import type { ComposeModel } from './compose-model.ts'
import { noteDelivered } from './delivered-keys.ts'
import { observeProject } from './observe.ts'
import type { ObservedContainer } from './observe.ts'
import { restartsIn } from './plan.ts'
import { forgetStalePasses, noteHealthyServices } from './stack-state.ts'
import { placeOf } from './project-claim.ts'
import type { StackState } from './stack-state.ts'

/**
 * An agent that is killed leaves its Compose at work, which finishes. Both at once would get in each
 * other's way; so the first action waits for its end, until it is older than Compose may get. It is not
 * ended then: a person may have typed the same words.
 */
export const isLeftAtWork = async (
  deps: Pick<ActionDeps, 'upDeadlineMs' | 'log' | 'publish'>,
  state: StackState,
  model: Pick<ComposeModel, 'projectName'>,
): Promise<boolean> => {
  if (state.hasActed) return false
  const all = await findRunning(workingFlags(model))
  const left = all.find(({ ageMs }) => ageMs < deps.upDeadlineMs)
  const what = left && `Compose (process ${left.pid}), left at work by an agent before this one`
  const known = state.waitingFor[0]
  state.waitingFor = what === undefined ? [] : [what]
  if (what === undefined) return false
  state.phase = 'Pending'
  if (what !== known) deps.log.warn({ pid: left?.pid }, `waiting for ${what}`)
  deps.publish()
  return true
}

/** Written before the first `up`, so that an action cut off by a crash is finished after it. */
const recordIntent = async (
  deps: ActionDeps,
  state: StackState,
  { model, plan }: Action,
): Promise<void> => {
  const { uid, redeploy } = state.want.desired
  const before = deps.stateFile.get(uid)
  const present = state.containers.filter((c) => c.state === 'running').map((c) => c.service)
  const names = new Set([...(before?.services ?? present), ...plan.affected])
  await deps.stateFile.set(uid, {
    ...before,
    // Until it is seen to end by itself nothing of it is a job that is done.
    lasting: [...new Set([...(before?.lasting ?? []), ...plan.affected])].sort(),
    ...placeOf(state, model.projectName),
    services: model.services.map((s) => s.name).filter((name) => names.has(name)),
    redeploy: before?.redeploy ?? redeploy,
    signature: before?.signature ?? '',
  })
}

/** After a full `up` the user's files are deployed as they were when read. */
const recordFull = async (
  deps: ActionDeps,
  state: StackState,
  { model }: Action,
): Promise<void> => {
  state.pendingEdits = []
  await deps.stateFile.set(state.want.desired.uid, {
    ...deps.stateFile.get(state.want.desired.uid),
    ...placeOf(state, model.projectName),
    services: model.services.map((s) => s.name),
    redeploy: state.want.desired.redeploy,
    signature: model.signature,
  })
}

const newIn = (
  after: readonly ObservedContainer[],
  before: readonly ObservedContainer[],
): string[] => {
  const old = new Set(before.map((c) => c.id))
  return [...new Set(after.filter((c) => !old.has(c.id)).map((c) => c.service))].sort()
}

const countRecreated = (
  state: StackState,
  { plan, full }: Action,
  before: readonly ObservedContainer[],
): void => {
  const recreated = newIn(state.containers, before)
  const old = new Map(before.map((c) => [c.id, c.startedAt]))
  const isRestarted = (name: string): boolean =>
    state.containers.some(
      ({ service, id, startedAt }) => service === name && old.has(id) && old.get(id) !== startedAt,
    )
  const restarted = restartsIn(plan).filter(isRestarted)
  const meant = new Set(plan.affected.filter((name) => !plan.peers.includes(name)))
  const along = recreated.filter((name) => !meant.has(name))
  const cascaded = full ? [] : [...along, ...restarted].sort()
  state.rollout = {
    ...(state.rollout ?? { revision: state.want.desired.revision, result: 'Progressing' as const }),
    recreated,
    ...(cascaded.length === 0 ? {} : { cascaded }),
  }
}

/** Carries out the plan's steps; the gate of the whole comes apart. */
export const applyPlan = async (
  deps: ActionDeps,
  state: StackState,
  action: Action,
  signals: PassSignals,
): Promise<ActionResult> => {
  const { model, full, plan } = action
  const { revision } = state.want.desired
  state.phase = 'Applying'
  state.hasActed = true
  state.ungated = new Set([...state.ungated, ...plan.affected, ...restartsIn(plan)])
  // From here on something else runs: to go back to what was settled is no healing of drift.
  if (state.settledKey !== state.want.key) state.settledKey = ''
  state.rollout = { revision, result: 'Progressing', startedAt: toTimestamp(deps.clock.now()) }
  deps.publish()
  const before = state.containers
  noteHealthyServices(state, deps.clock.now())
  await recordIntent(deps, state, action)
  await noteDelivered(deps.stateFile, model, state)
  await clearProject(deps, model.projectName)
  const result = await applySteps(deps, state, action, signals)
  if (result === 'done' && full && state.stuck.size === 0) await recordFull(deps, state, action)
  state.containers = await observeProject(deps.engine, model.projectName)
  forgetStalePasses(state)
  countRecreated(state, action, before)
  return result
}
