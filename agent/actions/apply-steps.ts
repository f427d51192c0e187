// Carries out the steps of one action, each service by itself: a service that fails stops only those that depend on it.
import { ComposeError } from '../../src/compose/compose.ts'
import { isAbort } from '../../src/kernel/errors.ts'
import {
  failedAction,
  PlanOutdated,
  type StackAction,
  type ActionDeps,
  type ActionResult,
  type PassSignals,
} from './action.ts'
import { clearProject } from './cleanup.ts'
import { failedUp, restart, up } from './compose-up.ts'
import { attributedServices } from './rollback.ts'
import { observeProject } from '../observed/observe.ts'
import { type ObservedContainer } from '../observed/container.ts'
import type { StartCondition } from '../compose/service-model.ts'
import type { StackCell, StackChange, StackState } from '../state/stack-state.ts'
import { gateWaits, gateOpenWaits, type WaitsFor } from './stagelet-gate.ts'
import { neededServices, withDependents } from '../compose/dependencies.ts'
import type { ActionStep } from './steps.ts'

const waitsFor = (
  { model, overrides }: StackAction,
  waits: readonly StartCondition[],
): WaitsFor => ({
  project: model.projectName,
  waits,
  digestOf: (service) => overrides.find((o) => o.service === service)?.digest ?? '',
})

/** The conditions of dependencies that Compose itself waits for in an `up` of these services. */
const waitsIn = ({ model }: StackAction, services: readonly string[]): readonly StartCondition[] =>
  model.services
    .filter((s) => services.length === 0 || services.includes(s.name))
    .flatMap((s) => s.waitsFor)

/** How a step ended. `on`: the service whose failure ended it, where the step was waiting for it. */
type StepResult = { readonly result: ActionResult; readonly on?: string | undefined }

const failedOn = (state: StackState): string | undefined => state.rollout?.service

/** One step: waits for its dependencies, makes its containers, and restarts services that ask for it (`restart: true`). */
const applyStep = async (
  deps: ActionDeps,
  cell: StackCell,
  action: StackAction,
  { step, signal }: { readonly step: ActionStep; readonly signal: AbortSignal },
): Promise<StepResult> => {
  const ready = await gateWaits(deps, cell, waitsFor(action, step.waitFor), signal)
  if (ready !== 'done') return { result: ready, on: failedOn(cell.state) }
  const { services, restarts = [] } = step
  const endFailed = async (error: unknown, names: readonly string[]): Promise<StepResult> => {
    const { model } = action
    cell.put(await failedUp(deps, cell.state, error, { model, services: names }))
    return { result: 'failed' }
  }
  try {
    await up(deps, cell.state, action, step)
  } catch (error) {
    if (error instanceof PlanOutdated) throw error
    // Compose may have been killed: a later `up` would start its leftovers under their temporary names.
    const found = await clearProject(deps, action.model.projectName)
    cell.put({ interrupted: new Set([...cell.state.interrupted, ...found.map(({ id }) => id)]) })
    const gaveUp = error instanceof ComposeError && (error.exitCode === 1 || error.timedOut)
    const waits = services.length === 0 && gaveUp ? waitsIn(action, services) : []
    const gated = await gateOpenWaits(deps, cell, waitsFor(action, waits), signal)
    if (gated !== 'done') return { result: gated, on: failedOn(cell.state) }
    return await endFailed(error, services)
  }
  if (restarts.length === 0) return { result: 'done' }
  const isNew = ({ service }: StartCondition): boolean => action.plan.affected.includes(service)
  const waits = waitsIn(action, restarts).filter(isNew)
  const gateOutcome = await gateWaits(deps, cell, waitsFor(action, waits), signal)
  if (gateOutcome !== 'done') return { result: gateOutcome, on: failedOn(cell.state) }
  try {
    await restart(deps, cell.state, action, restarts)
    return { result: 'done' }
  } catch (error) {
    return await endFailed(error, restarts)
  }
}

const lookMs = 300
/** Longest wait for a job. */
const mostWaitMs = 15 * 60_000

/** True when the gate can tell at once how this wait ends. */
const isOver = (
  { service, until }: StartCondition,
  containers: readonly ObservedContainer[],
): boolean =>
  containers
    .filter((c) => c.service === service)
    .every((c) => {
      if (c.state !== 'running' || c.restartCount > 0) return true
      return until === 'healthy' && c.health !== 'starting'
    })

/** Steps that depend on no other step that is left. Doubtful steps come after all others. */
const startable = ({ model }: StackAction, queue: readonly ActionStep[]): ActionStep[] => {
  const [first] = queue
  const waiting = new Set(queue.flatMap((s) => s.services))
  const needsWaiting = (name: string): boolean =>
    neededServices(model.services, name).some((other) => waiting.has(other))
  return queue.filter(
    (step) =>
      step === first ||
      (step.doubtful === first?.doubtful && !step.services.some((name) => needsWaiting(name))),
  )
}

/** The next step. Of several that wait, the first whose wait is over, so that none delays another. */
const takeNext = async (
  deps: ActionDeps,
  cell: StackCell,
  action: StackAction,
  { queue, signal }: { readonly queue: ActionStep[]; readonly signal: AbortSignal },
): Promise<ActionStep> => {
  const take = (step: ActionStep): ActionStep => queue.splice(queue.indexOf(step), 1)[0]!
  const candidates = startable(action, queue)
  if (queue[0]!.waitFor.length === 0 || candidates.length === 1) return take(queue[0]!)
  const waitsOf = (s: ActionStep): string[] =>
    s.waitFor.map((w) => `${w.service}: not ${w.until} yet`)
  cell.publish({ waitingFor: candidates.flatMap(waitsOf) })
  const since = deps.clock.monotonic()
  const awaited = new Set(candidates.flatMap((s) => s.waitFor.map(({ service }) => service)))
  const { projectName } = action.model
  for (;;) {
    const containers = await observeProject(deps.engine, projectName, (name) => awaited.has(name))
    const over = candidates.find((s) => s.waitFor.every((wait) => isOver(wait, containers)))
    const next = deps.clock.monotonic() - since > mostWaitMs ? candidates[0] : over
    if (next !== undefined) {
      cell.put({ waitingFor: [] })
      return take(next)
    }
    await deps.clock.sleep(lookMs, signal)
  }
}

const waitsForPrefix = 'waits for '

/** Tells that the action failed for the stuck services, each with its reason. */
export const failedStuck = (deps: ActionDeps, state: StackState): StackChange => {
  const causes = [...state.stuck].filter(([, why]) => !why.startsWith(waitsForPrefix))
  return failedAction(deps, state, causes.map(([, why]) => why).join('\n'), causes[0]?.[0])
}

/** The stuck services with those that failed, and those that depend on them. */
const withStuck = (
  state: StackState,
  { model }: StackAction,
  { failed, on }: { failed: readonly string[]; on: string | undefined },
): StackState['stuck'] => {
  const { message = '' } = state.rollout!
  const held = new Map(state.stuck)
  const roots = on === undefined ? failed : [on]
  for (const name of roots) held.set(name, message)
  for (const name of withDependents(model.services, roots))
    if (!held.has(name)) held.set(name, `${waitsForPrefix}${roots.join(', ')}`)
  return held
}

/** Tells of the failure at once, and goes on with the other services, which may take long. */
const goOn = (deps: ActionDeps, cell: StackCell): void => {
  if (cell.state.stuck.size > 0) cell.put(failedStuck(deps, cell.state))
  const { finishedAt: _f, ...rollout } = cell.state.rollout!
  cell.publish({ rollout: { ...rollout, result: 'Progressing' }, phase: 'Applying' })
}

const withoutStuck = (step: ActionStep, { stuck }: StackState): ActionStep => ({
  ...step,
  services: step.services.filter((name) => !stuck.has(name)),
  waitFor: step.waitFor.filter((w) => !stuck.has(w.service)),
  restarts: (step.restarts ?? []).filter((name) => !stuck.has(name)),
})

/** The steps that replace a failed one; undefined where the whole action ends. */
const afterFailure = (
  cell: StackCell,
  action: StackAction,
  step: ActionStep,
  on: string | undefined,
): { readonly again: readonly ActionStep[] } | undefined => {
  const { state } = cell
  if (attributedServices(state).length > 0 || state.fault !== undefined) return undefined
  const { services } = step
  // Compose cannot make a network anew while services outside of the call use it.
  if (on === undefined && services.length > 1 && step.networks !== true)
    return { again: services.map((name) => ({ ...step, services: [name] })) }
  cell.put({ stuck: withStuck(state, action, { failed: services, on }) })
  return { again: on === undefined ? [] : [step] }
}

const runSteps = async (
  deps: ActionDeps,
  cell: StackCell,
  action: StackAction,
  { isSuperseded, signal }: PassSignals,
): Promise<ActionResult> => {
  const met = new Set<string>()
  const keyOf = ({ service, until }: StartCondition): string => `${service} ${until}`
  const queue = [...action.plan.steps]
  let ungated: string[] = []
  while (queue.length > 0) {
    const isWhole = queue[0]!.services.length === 0
    const taken = await takeNext(deps, cell, action, { queue, signal })
    const step = withoutStuck(taken, cell.state)
    if (step.services.length === 0 && !isWhole) continue
    const checked = step.doubtful === true ? ungated : []
    const before = checked.map((service): StartCondition => ({ service, until: 'healthy' }))
    const waitFor = [...step.waitFor, ...before].filter((wait) => !met.has(keyOf(wait)))
    const now = { step: { ...step, waitFor }, signal }
    const { result, on } = await applyStep(deps, cell, action, now)
    if (result === 'superseded') return result
    if (result === 'done') {
      for (const wait of waitFor) met.add(keyOf(wait))
      ungated = [...ungated.filter((name) => !checked.includes(name)), ...step.services]
    } else {
      const next = afterFailure(cell, action, step, on)
      if (next === undefined) return result
      goOn(deps, cell)
      queue.unshift(...(isWhole ? await action.stepsAfter(cell.state.stuck) : next.again))
      ungated = ungated.filter((name) => !cell.state.stuck.has(name))
    }
    if (isSuperseded()) return 'superseded'
  }
  return 'done'
}

/**
 * Carries out the steps. 'failed' where the whole action has ended. Where single services failed the result is 'done',
 * and `state.stuck` names them.
 */
export const applySteps = async (
  deps: ActionDeps,
  cell: StackCell,
  action: StackAction,
  signals: PassSignals,
): Promise<ActionResult> => {
  try {
    return await runSteps(deps, cell, action, signals)
  } catch (error) {
    if (isAbort(error)) return 'superseded'
    if (!(error instanceof PlanOutdated)) throw error
    deps.log.info({ reason: error.message }, 'the rollout is planned again')
    return 'superseded'
  } finally {
    cell.put({ waitingFor: [] })
  }
}
