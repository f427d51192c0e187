// Runs the health gate of one stack: for services that a step waits for, for those that may have made `up` fail, and for
// all at the end. A failure is noted in the state, with what is to blame for it.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { isAbort } from '../../src/kernel/errors.ts'
import { fail, type ActionDeps, type ActionResult } from '../actions/action.ts'
import { endedFromOutside, findBlame } from '../observed/blame.ts'
import type { Wait } from '../compose/service-model.ts'
import { runGate, type GateDeps } from '../observed/gate.ts'
import { pausedAmong, type GateFailure } from '../observed/gate-failure.ts'
import { observeProject, type ObservedContainer } from '../observed/observe.ts'
import { neededServices } from '../actions/steps.ts'
import { forgetPasses, isUnfinished, type StackState } from './stack-state.ts'

/** Services to check, with the digest that each must carry ('' for none). */
export interface GatedServices {
  readonly project: string
  readonly wanted: ReadonlyMap<string, string>
  /** Services among them that must have ended, as others wait for their end. */
  readonly mustEnd?: ReadonlySet<string>
}

const gateDepsOf = ({ engine, clock, exits }: ActionDeps, state: StackState): GateDeps => ({
  engine,
  clock,
  mask: state.want.mask,
  isStopped: (c: ObservedContainer) => endedFromOutside(exits.of, c) !== undefined,
})

const takeFailure = async (
  deps: ActionDeps,
  state: StackState,
  failure: GateFailure,
  signal: AbortSignal,
): Promise<'failed'> => {
  const { service } = failure
  const below = neededServices(state.model?.services ?? [], service)
  const message = [failure.message, ...pausedAmong(state.containers, below)].join('\n')
  forgetPasses(state, [service])
  const seen = { exitOf: deps.exits.of, clock: deps.clock }
  const blame = await findBlame(failure, state.containers, seen, signal)
  if (blame.onWhatItGot) state.gateFailure = { service, message }
  const said = blame.onWhatItGot ? undefined : blame.message
  return fail(deps, state, said ?? message, service)
}

/** Runs the gate; 'superseded' where a newer want ended it. */
const gate = async (
  deps: ActionDeps,
  state: StackState,
  services: GatedServices,
  signal: AbortSignal,
): Promise<ActionResult> => {
  state.phase = 'Gating'
  deps.publish()
  const onWaiting = (what: readonly string[]): void => {
    state.waitingFor = what
    deps.publish()
  }
  try {
    const result = await runGate(gateDepsOf(deps, state), { ...services, onWaiting }, signal)
    state.containers = result.containers
    state.passed = { ...state.passed, ...result.passed }
    return result.failure === undefined
      ? 'done'
      : await takeFailure(deps, state, result.failure, signal)
  } catch (error) {
    if (isAbort(error)) return 'superseded'
    throw error
  } finally {
    state.waitingFor = []
  }
}

/** Waits until these services are healthy or done, since the next step depends on that. */
export const gateWaits = async (
  deps: ActionDeps,
  state: StackState,
  { project, waits, digestOf }: WaitsFor,
  signal: AbortSignal,
): Promise<ActionResult> => {
  if (waits.length === 0) return 'done'
  const wanted = new Map(waits.map((w) => [w.service, digestOf(w.service)]))
  const mustEnd = new Set(waits.filter((w) => w.until === 'done').map((w) => w.service))
  const result = await gate(deps, state, { project, wanted, mustEnd }, signal)
  state.phase = result === 'done' ? 'Applying' : state.phase
  deps.publish()
  return result
}

export interface WaitsFor {
  readonly project: string
  readonly waits: readonly Wait[]
  readonly digestOf: (service: string) => string
}

/**
 * Checks, after an `up` that failed, the services that Compose was waiting for. Only a service that was started with
 * its wanted digest, and that was not healthy with it before, can be to blame. 'done' where none is.
 */
export const gateOpenWaits = async (
  deps: ActionDeps,
  state: StackState,
  { project, waits, digestOf }: WaitsFor,
  signal: AbortSignal,
): Promise<ActionResult> => {
  const containers = await observeProject(deps.engine, project)
  const isOpen = (service: string): boolean => {
    const own = containers.filter((c) => c.service === service)
    const digest = digestOf(service)
    const isStarted = own.every((c) => c.digest === digest && c.state !== 'created')
    return own.length > 0 && isStarted && state.passed[service] !== digest
  }
  const open = waits.map((w) => w.service).filter(isOpen)
  if (open.length === 0) return 'done'
  const wanted = new Map(open.map((service) => [service, digestOf(service)]))
  return await gate(deps, state, { project, wanted }, signal)
}

export const finishRollout = (deps: ActionDeps, state: StackState): void => {
  const { rollout, goingBackFrom: failed } = state
  if (rollout === undefined || !isUnfinished(rollout)) return
  const { message: _message, service: _service, ...rest } = rollout
  const finishedAt = toFineTimestamp(deps.clock.now())
  // One to a revision after the one that failed is no way back.
  state.rollout =
    failed === undefined || rollout.revision > failed.revision
      ? { ...rest, result: 'Healthy', finishedAt }
      : {
          ...rest,
          result: 'RolledBack',
          finishedAt,
          service: failed.service,
          message: failed.message,
        }
}

/** Checks the services of the whole action; those that pass are added to `state.passed`. */
export const gateServices = async (
  deps: ActionDeps,
  state: StackState,
  services: GatedServices,
  signal: AbortSignal,
): Promise<ActionResult> => {
  const result = await gate(deps, state, services, signal)
  if (result !== 'superseded')
    state.ungated = new Set([...state.ungated].filter((name) => !services.wanted.has(name)))
  if (result === 'done' && state.stuck.size === 0) finishRollout(deps, state)
  return result
}
