// Runs the health gate of one stack: for services that a step waits for, for those that may have made `up` fail, and for
// all at the end. A failure is put into the state, with what is to blame for it.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { isAbort } from '../../src/kernel/errors.ts'
import { failedAction, type ActionDeps, type ActionResult } from './action.ts'
import { endedFromOutside, findFailureCause } from '../observed/failure-cause.ts'
import type { StartCondition } from '../compose/service-model.ts'
import { runGate, type GateDeps } from '../observed/gate.ts'
import { pausedAmong, type GateFailure } from '../observed/gate-failure.ts'
import { observeProject } from '../observed/observe.ts'
import { type ObservedContainer } from '../observed/container.ts'
import { neededServices } from '../compose/dependencies.ts'
import {
  isUnfinished,
  withoutPasses,
  type StackCell,
  type StackChange,
  type StackState,
} from '../state/stack-state.ts'

/** Services to check, with the digest that each must carry ('' for none). */
interface GatedServices {
  readonly project: string
  readonly wanted: ReadonlyMap<string, string>
  /** Services among them that must have ended, as others wait for their end. */
  readonly mustEnd?: ReadonlySet<string>
}

const gateDepsOf = ({ engine, clock, exits }: ActionDeps, state: StackState): GateDeps => ({
  engine,
  clock,
  mask: state.target.mask,
  isStopped: (c: ObservedContainer) => endedFromOutside(exits.exitOf, c) !== undefined,
})

const failedGate = async (
  deps: ActionDeps,
  state: StackState,
  failure: GateFailure,
  signal: AbortSignal,
): Promise<StackChange> => {
  const { service } = failure
  const below = neededServices(state.model?.services ?? [], service)
  const message = [failure.message, ...pausedAmong(state.containers, below)].join('\n')
  const events = { exitOf: deps.exits.exitOf, clock: deps.clock }
  const cause = await findFailureCause(failure, state.containers, events, signal)
  if (cause.isOfValues)
    return { ...failedAction(deps, state, message, service), gateFailure: { service, message } }
  return failedAction(deps, state, cause.message ?? message, service)
}

/** Runs the gate; 'superseded' where a newer target ended it. */
const gate = async (
  deps: ActionDeps,
  cell: StackCell,
  services: GatedServices,
  signal: AbortSignal,
): Promise<ActionResult> => {
  cell.publish({ phase: 'Gating' })
  const onWaiting = (waitingFor: readonly string[]): void => cell.publish({ waitingFor })
  try {
    const gateDeps = gateDepsOf(deps, cell.state)
    const { containers, passed, failure } = await runGate(
      gateDeps,
      { ...services, onWaiting },
      signal,
    )
    const all = { ...cell.state.passed, ...passed }
    cell.put({ containers, passed: withoutPasses(all, failure ? [failure.service] : []) })
    if (failure === undefined) return 'done'
    cell.put(await failedGate(deps, cell.state, failure, signal))
    return 'failed'
  } catch (error) {
    if (isAbort(error)) return 'superseded'
    throw error
  } finally {
    cell.put({ waitingFor: [] })
  }
}

/** Waits until these services are healthy or done, since the next step depends on that. */
export const gateWaits = async (
  deps: ActionDeps,
  cell: StackCell,
  { project, waits, digestOf }: WaitsFor,
  signal: AbortSignal,
): Promise<ActionResult> => {
  if (waits.length === 0) return 'done'
  const wanted = new Map(waits.map((w) => [w.service, digestOf(w.service)]))
  const mustEnd = new Set(waits.filter((w) => w.until === 'done').map((w) => w.service))
  const result = await gate(deps, cell, { project, wanted, mustEnd }, signal)
  cell.publish(result === 'done' ? { phase: 'Applying' } : {})
  return result
}

export interface WaitsFor {
  readonly project: string
  readonly waits: readonly StartCondition[]
  readonly digestOf: (service: string) => string
}

/**
 * Checks, after an `up` that failed, the services that Compose was waiting for. Only a service that was started with
 * its wanted digest, and that was not healthy with it before, can be to blame. 'done' where none is.
 */
export const gateOpenWaits = async (
  deps: ActionDeps,
  cell: StackCell,
  { project, waits, digestOf }: WaitsFor,
  signal: AbortSignal,
): Promise<ActionResult> => {
  const containers = await observeProject(deps.engine, project)
  const isOpen = (service: string): boolean => {
    const own = containers.filter((c) => c.service === service)
    const digest = digestOf(service)
    const isStarted = own.every((c) => c.digest === digest && c.state !== 'created')
    return own.length > 0 && isStarted && cell.state.passed[service] !== digest
  }
  const open = waits.map((w) => w.service).filter(isOpen)
  if (open.length === 0) return 'done'
  const wanted = new Map(open.map((service) => [service, digestOf(service)]))
  return await gate(deps, cell, { project, wanted }, signal)
}

/** The rollout that has come through, or that has led back to what is healthy. */
export const finishedRollout = (
  { clock }: Pick<ActionDeps, 'clock'>,
  { rollout, rollbackCause: failed }: StackState,
): StackState['rollout'] => {
  if (rollout === undefined || !isUnfinished(rollout)) return rollout
  const { message: _message, service: _service, ...rest } = rollout
  const finishedAt = toFineTimestamp(clock.now())
  // One to a revision after the one that failed is no way back.
  if (failed === undefined || rollout.revision > failed.revision)
    return { ...rest, result: 'Healthy', finishedAt }
  const { service, message } = failed
  return { ...rest, result: 'RolledBack', finishedAt, service, message }
}

/** Checks the services of the whole action; those that pass are added to `passed`. */
export const gateServices = async (
  deps: ActionDeps,
  cell: StackCell,
  services: GatedServices,
  signal: AbortSignal,
): Promise<ActionResult> => {
  const result = await gate(deps, cell, services, signal)
  const { ungated, stuck } = cell.state
  if (result !== 'superseded')
    cell.put({ ungated: new Set([...ungated].filter((name) => !services.wanted.has(name))) })
  if (result === 'done' && stuck.size === 0)
    cell.put({ rollout: finishedRollout(deps, cell.state) })
  return result
}
