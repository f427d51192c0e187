// Drift of one stagelet: tells of it, and decides whether it is healed now, later, or not at all.
import { toTimestamp } from '../../src/kernel/clock.ts'
import {
  findChanges,
  isWholeStackStopped,
  waitForPerson,
  type DriftChange,
  type DriftInput,
} from '../observed/drift.ts'
import { guardHeal, recentHeals, type HealGuard } from '../observed/heal-guard.ts'
import type { ServiceOverride } from '../../src/compose/override.ts'
import { isEnded } from '../observed/container.ts'
import type { ActionPlan } from '../actions/plan.ts'
import type { StackCell, StackState } from '../state/stack-state.ts'
import { changeDeployment } from '../state/state-file.ts'
import { resyncMs, stoppedIn, type PassDeps } from './stagelet-observe.ts'

/** An engine that goes down stops all containers. Where it still answers after this time, a person stopped them. */
const sureAfterMs = 60_000

/** How these services differ from the containers that were settled last. */
const driftInput = (
  deps: PassDeps,
  state: StackState,
  affected: readonly string[],
  wanted: readonly { readonly service: string; readonly digest: string }[],
): DriftInput => ({
  affected,
  before: state.settled.containers,
  now: state.containers,
  wanted: new Map(wanted.map((o) => [o.service, o.digest])),
  exitOf: deps.exits.exitOf,
  stopped: stoppedIn(deps, state),
  interrupted: state.interrupted,
  byOf: deps.manualRuns.by,
})

/** Adds the name of the person from what was told before: it is known for a moment only. */
const keepNames = (
  changes: readonly DriftChange[],
  before: readonly DriftChange[],
): DriftChange[] =>
  changes.map((change) => {
    const same = before.find((t) => t.container === change.container && t.what === change.what)
    return { ...same, ...change }
  })

const driftAs = (
  { clock }: Pick<PassDeps, 'clock'>,
  { drift: before }: StackState,
  driftState: 'Found' | 'Held' | 'Flapping',
  input: DriftInput,
): Pick<StackState, 'drift'> => {
  const isNew = before === undefined || before.state === 'Healed'
  const changes = keepNames(findChanges(input), isNew ? [] : before.changes)
  return {
    drift: {
      state: driftState,
      since: isNew ? toTimestamp(clock.now()) : before.since,
      // During healing the difference may be gone already.
      changes: changes.length === 0 && !isNew ? before.changes : changes,
    },
  }
}

/** Notes on the disk whether somebody stopped the whole stack. */
export const recordStoppedByHand = async (
  { stateFile }: Pick<PassDeps, 'stateFile'>,
  { target }: StackState,
  isStopped: boolean,
): Promise<void> => {
  const { uid } = target.desired
  if ((stateFile.get(uid)?.stoppedByHand ?? false) !== isStopped)
    await changeDeployment(stateFile, uid, { stoppedByHand: isStopped })
}

/**
 * Since when (monotonic) the stack is down, as somebody stopped all of it. It stays down, also over new revisions and a
 * restart of the agent, until one of its containers runs again or a deploy is asked for.
 */
const stoppedSince = (
  { clock, stateFile }: PassDeps,
  { target, containers, stoppedSinceMs }: StackState,
  input: DriftInput,
  asked: boolean,
): number | undefined => {
  if (asked || !containers.every(isEnded)) return undefined
  if (stateFile.get(target.desired.uid)?.stoppedByHand === true) return stoppedSinceMs ?? -Infinity
  return stoppedSinceMs ?? (isWholeStackStopped(input) ? clock.monotonic() : undefined)
}

/**
 * To be called where events since `lostAtMs` were missed. The engine may have gone down then, so that a stop shortly
 * before may have been its own: the stack need not stay down.
 */
export const stoppedAfterGap = (
  { stoppedSinceMs: sinceMs }: StackState,
  lostAtMs: number,
): number | undefined =>
  sinceMs !== undefined && lostAtMs - sinceMs < sureAfterMs ? undefined : sinceMs

/** How the stack differs from the last settled containers, whatever its target is now. */
const sinceSettled = (deps: PassDeps, state: StackState): DriftInput => {
  const { containers } = state.settled
  const services = [...new Set(containers.map((c) => c.service))].sort()
  return driftInput(deps, state, services, containers)
}

/** What differs in a paused stack, which is not healed and does not follow new revisions. */
export const driftWhilePaused = (deps: PassDeps, state: StackState): Pick<StackState, 'drift'> => {
  const input = sinceSettled(deps, state)
  return findChanges(input).length > 0 ? driftAs(deps, state, 'Found', input) : { drift: undefined }
}

/** `waitMs` 0: act now; the drift has been told, and the healing counted. */
export type HealDelay = Omit<HealGuard, 'isFlapping'>

const noRest: HealDelay = { waitMs: 0, blocked: [] }

export const delayHealing = async (
  deps: PassDeps,
  cell: StackCell,
  {
    plan,
    overrides,
    asked,
  }: { plan: ActionPlan; overrides: readonly ServiceOverride[]; asked: boolean },
): Promise<HealDelay> => {
  if (plan.steps.length === 0) return noRest
  const setDrift = (driftState: 'Found' | 'Held' | 'Flapping', found: DriftInput): void =>
    cell.publish(driftAs(deps, cell.state, driftState, found))
  const affected = plan.affected.filter((name) => !plan.peers.includes(name))
  const input = driftInput(deps, cell.state, affected, overrides)
  const stoppedSinceMs = stoppedSince(deps, cell.state, input, asked)
  cell.put({ stoppedSinceMs })
  const stoppedForMs = deps.clock.monotonic() - (stoppedSinceMs ?? Infinity)
  await recordStoppedByHand(deps, cell.state, stoppedForMs >= sureAfterMs)
  if (cell.state.stoppedSinceMs !== undefined) {
    cell.put({ phase: 'Paused' })
    setDrift('Held', input)
    return { waitMs: resyncMs, blocked: [] }
  }
  const { drift, settled, target } = cell.state
  // It is started: it no longer stays down.
  if (drift?.state === 'Held') setDrift('Found', input)
  if (asked || settled.key !== target.key) {
    // The action for the new target also heals what ended before it: that is reported. What the action ends is no drift.
    const found = settled.key === '' ? undefined : sinceSettled(deps, cell.state)
    if (found !== undefined && findChanges(found).length > 0) setDrift('Found', found)
    return noRest
  }
  const now = deps.clock.now()
  const before = deps.stateFile.get(target.desired.uid)?.heals ?? cell.state.heals
  const { waitMs, isFlapping, blocked } = guardHeal(before, input.affected, now)
  setDrift(isFlapping ? 'Flapping' : 'Found', input)
  const wait = Math.max(waitMs, waitForPerson(input, now))
  if (wait > 0) return { waitMs: wait, blocked }
  const healed = input.affected.filter((service) => !blocked.includes(service))
  const heals = [...recentHeals(before, now), ...healed.map((service) => ({ service, atMs: now }))]
  cell.put({ heals })
  await changeDeployment(deps.stateFile, target.desired.uid, { heals })
  return { waitMs: 0, blocked }
}
