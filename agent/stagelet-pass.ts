// One pass: look at everything, do at most one action, say when to look again. Level-triggered: a
// pass begins with what the files and the engine say now, whatever woke it.
import { messageOf } from '../src/kernel/errors.ts'
import { findAiling } from './ailing.ts'
import type { StackFault } from './compose-files.ts'
import type { ComposeModel } from './compose-model.ts'
import { renderOverride } from '../src/compose/override.ts'
import type { ServiceOverride } from '../src/compose/override.ts'
import { eventLagMs, isEndUnclear, lastingAfter } from './drift.ts'
import type { ObservedContainer } from './observe.ts'
import { findPendingEdits } from './pending-edits.ts'
import { leansOnIn, planAction, restartsIn, withoutServices } from './plan.ts'
import { digestIn, findCulprits, withQuarantined } from './quarantine.ts'
import type { Plan } from './plan.ts'
import { prepareOverrides } from './prepare-overrides.ts'
import { fileDigests } from './stack-files.ts'
import type { StackState } from './stack-state.ts'
import type { Action, ActionResult, PassSignals } from './action.ts'
import { applyPlan, isLeftAtWork } from './stagelet-action.ts'
import { gateServices } from './stagelet-gate.ts'
import {
  findForeign,
  noteFailure,
  observe,
  readModel,
  resyncMs,
  stoppedIn,
  stopWith,
  type PassDeps,
} from './stagelet-looks.ts'
import { endDrift, restForDrift, tellPaused } from './stagelet-drift.ts'
import { release } from './stagelet-release.ts'
import { saveQuarantine, type Deployment } from './state-file.ts'

export type { PassDeps } from './stagelet-looks.ts'

const leftLookMs = 500

/** How long the backoff of a failure still lasts. */
const waitForRetry = ({ clock }: PassDeps, state: StackState): number =>
  state.failedKey === state.want.key ? Math.max(0, state.retryAtMs - clock.monotonic()) : 0

/** For how long the stack is left as it is for what went before. */
const restBefore = async (
  deps: PassDeps,
  state: StackState,
  { plan, model }: Action,
): Promise<number> => {
  if (plan.steps.length > 0 && (await isLeftAtWork(deps, state, model))) return leftLookMs
  return waitForRetry(deps, state)
}

/** Services that see secrets and were not seen healthy with them yet. */
const unprovenIn = ({ passed }: StackState, overrides: readonly ServiceOverride[]): string[] =>
  overrides.filter((o) => passed[o.service] !== o.digest).map((o) => o.service)

const planFor = (
  deps: PassDeps,
  state: StackState,
  model: ComposeModel,
  overrides: readonly ServiceOverride[],
): { plan: Plan; full: boolean; asked: boolean } => {
  const { desired } = state.want
  const deployed = deps.stateFile.get(desired.uid)
  const redeploy = deployed !== undefined && deployed.redeploy !== desired.redeploy
  const asked = redeploy || (desired.compose.onChange === 'Deploy' && state.pendingEdits.length > 0)
  const plan = planAction({
    services: model.services,
    wanted: new Map(overrides.map((o) => [o.service, o.digest])),
    containers: state.containers,
    composeVersion: deps.compose.version,
    deployed: deployed?.services,
    pending: state.pendingEdits,
    full: asked,
    stopped: stoppedIn(deps, state),
    unproven: unprovenIn(state, overrides),
    nowMs: deps.clock.now(),
  })
  return { plan, asked, full: asked || plan.steps.some((s) => s.services.length === 0) }
}

/** Services to judge: those just touched, and those that see secrets and have not passed yet. */
const toGate = (
  state: StackState,
  { model, overrides, plan, blocked }: Action,
): Map<string, string> => {
  const digests = new Map(overrides.map((o) => [o.service, o.digest]))
  const unproven = unprovenIn(state, overrides)
  const present = new Set(state.containers.map((c) => c.service))
  const scaledToZero = new Set(model.services.filter((s) => s.scale === 0).map((s) => s.name))
  const names = [
    ...plan.affected,
    ...restartsIn(plan),
    ...unproven.filter((name) => present.has(name)),
  ]
  const judged = names.filter((name) => !scaledToZero.has(name) && !blocked.includes(name))
  return new Map(judged.map((name) => [name, digests.get(name) ?? '']))
}

const act = async (
  deps: PassDeps,
  state: StackState,
  action: Action,
  signals: PassSignals,
): Promise<ActionResult> => {
  // What an action before this one failed for says nothing of this one.
  state.gateFailure = undefined
  if (action.plan.steps.length > 0) {
    const result = await applyPlan(deps, state, action, signals)
    if (result !== 'done') return result
  }
  const wanted = toGate(state, action)
  if (wanted.size === 0) return 'done'
  return await gateServices(
    deps,
    state,
    { project: action.model.projectName, wanted },
    signals.signal,
  )
}

/** Somebody who runs `up` by hand rolls his edits out: other containers, another answer. */
const pendingKey = (
  { signature }: ComposeModel,
  containers: readonly ObservedContainer[],
): string => [signature, ...containers.map((c) => c.id)].join('\n')

/** After the labels are right: what would the user's edits change? Asked once for each state of files and containers. */
const checkPendingEdits = async (
  deps: PassDeps,
  state: StackState,
  { model, overrides }: Action,
): Promise<void> => {
  const { desired, env, mask } = state.want
  const deployed = deps.stateFile.get(desired.uid)
  if (deployed?.signature === model.signature) {
    state.pendingEdits = []
    return
  }
  const key = pendingKey(model, state.containers)
  if (state.pendingFor === key) return
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
    state.pendingFor = key
  } catch (error) {
    deps.log.warn({ error: messageOf(error) }, 'could not ask which services an edit would change')
    return
  }
  const services = [...new Set(state.containers.map((c) => c.service))].sort()
  const known: Deployment = deployed ?? {
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
  state.ailing = findAiling(state.containers, state.want.mask, state.ailing)
  state.settledKey = state.want.key
  state.failures = 0
  state.failedKey = ''
  await endDrift(deps, state)
  deps.publish()
  await recordLasting(deps, state)
  await deps.files.sweep(state.want.desired.uid, fileDigests(state.want.entries))
  await checkPendingEdits(deps, state, action)
  // The engine went down while the gate watched.
  if (stoppedIn(deps, state).size > 0) return 0
  const deploys = state.want.desired.compose.onChange === 'Deploy' && state.pendingEdits.length > 0
  return deploys ? 0 : resyncMs
}

const recordLasting = async (deps: PassDeps, { want, containers }: StackState): Promise<void> => {
  const { uid } = want.desired
  const known = deps.stateFile.get(uid)
  if (known === undefined) return
  const lasting = lastingAfter(known.lasting ?? [], containers, deps.endings.of)
  await deps.stateFile.set(uid, { ...known, lasting })
}

/** A paused stack is not started after a reboot either. */
const recordPaused = async (deps: PassDeps, { want }: StackState): Promise<void> => {
  const { uid, paused } = want.desired
  const known = deps.stateFile.get(uid)
  if (known !== undefined && (known.paused ?? false) !== paused)
    await deps.stateFile.set(uid, { ...known, paused })
}

const claimStack = async (
  deps: PassDeps,
  state: StackState,
  { projectName }: ComposeModel,
): Promise<StackFault | undefined> => {
  const foreign = await findForeign(state.containers, deps.allowDirs)
  if (foreign !== undefined) return foreign
  const claim = await deps.locks.claim(projectName, state.want.desired.uid)
  if (claim === 'mine') return undefined
  const who = claim === 'of another agent' ? 'another agent' : 'another stagelet on this agent'
  const message = `${who} already runs the Compose project "${projectName}" on this machine: give this one a spec.compose.projectName of its own`
  return { reason: 'ProjectClaimed', message }
}

/** Quarantines what failed, where there is something healthy to go back to; the next pass runs that. */
const goBack = async (deps: PassDeps, state: StackState): Promise<boolean> => {
  const { want, healthy, gateFailure, model, wellBefore } = state
  if (gateFailure === undefined || healthy === undefined) return false
  const { service } = gateFailure
  // What was broken before, by itself or by an edit of the user's, says nothing of what others were given.
  const leansOn = wellBefore.includes(service) ? leansOnIn(model?.services ?? [], service) : []
  const culprits = findCulprits(want, healthy, service, leansOn)
  if (culprits.length === 0) return false
  const { uid, revision, retry } = want.desired
  const message = gateFailure.message.slice(0, 8192)
  for (const culprit of culprits) {
    const added = { service: culprit, digest: digestIn(want, culprit), revision, retry, message }
    state.quarantine = withQuarantined(state.quarantine, added)
  }
  // Its own gate may have been passed.
  state.passed = Object.fromEntries(
    Object.entries(state.passed).filter(([name]) => !culprits.includes(name)),
  )
  await saveQuarantine(deps.stateFile, uid, state.quarantine)
  const to = healthy.desired.revision
  deps.log.warn({ service, culprits, failed: revision, to }, 'going back')
  return true
}

const isLeftAlone = (deps: PassDeps, state: StackState): boolean => {
  // What a person is in the middle of is no drift; the loop is woken when he is done.
  if (deps.hands.isBusy()) return true
  if (!state.want.desired.paused) return false
  state.phase = 'Paused'
  tellPaused(deps, state)
  return true
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
  await recordPaused(deps, state)
  if (isLeftAlone(deps, state)) return resyncMs
  if (model === undefined) {
    state.phase = 'Failed'
    return resyncMs
  }
  const fault = await claimStack(deps, state, model)
  if (fault !== undefined) return stopWith(state, fault.reason, fault.message)
  const prepared = await prepareOverrides(state.want, model, deps.files)
  if ('fault' in prepared) return stopWith(state, prepared.fault.reason, prepared.fault.message)
  const { overrides, unmounted } = prepared
  state.unmountedFiles = unmounted
  if (isEndUnclear(state.containers, deps.endings.of, deps.clock.now())) return eventLagMs
  const { asked, ...planned } = planFor(deps, state, model, overrides)
  const action: Action = { model, overrides, ...planned, blocked: [] }
  const mustAct = action.plan.steps.length > 0
  if (!mustAct && toGate(state, action).size === 0) return await settle(deps, state, action)
  const restMs = await restBefore(deps, state, action)
  if (restMs > 0) return Math.min(restMs, resyncMs)
  const { waitMs, blocked } = await restForDrift(deps, state, { ...action, asked })
  if (waitMs > 0) return Math.min(waitMs, resyncMs)
  const now: Action = { ...action, plan: withoutServices(action.plan, blocked), blocked }
  const result = await deps.locks.run(model.projectName, () => act(deps, state, now, signals))
  if (result === 'superseded') return 0
  if (result === 'failed') return (await goBack(deps, state)) ? 0 : noteFailure(deps, state)
  if (blocked.length > 0) {
    // The next pass waits for what was left out.
    state.phase = 'Settled'
    return 0
  }
  return await settle(deps, state, action)
}
