// Drift of one stagelet: tells of it, and decides whether it is healed now, later, or not at all.
import { toTimestamp } from '../../src/kernel/clock.ts'
import type { EngineEvent } from '../docker/engine.ts'
import {
  findChanges,
  isWholeStackStopped,
  waitForPerson,
  type DriftChange,
  type DriftInput,
} from '../observed/drift.ts'
import type { ContainerExits } from '../observed/container-exits.ts'
import { guardHeal, recentHeals } from '../observed/heal-guard.ts'
import type { ServiceOverride } from '../../src/compose/override.ts'
import { isEnded } from '../observed/observe.ts'
import type { Plan } from '../actions/plan.ts'
import type { StackState } from './stack-state.ts'
import { saveHeals } from './state-file.ts'
import { resyncMs, stoppedIn, type PassDeps } from './stagelet-observe.ts'

/** An engine that goes down stops all containers. Where it still answers after this time, a person stopped them. */
const sureAfterMs = 60_000

const driftInput = (
  deps: PassDeps,
  state: StackState,
  plan: Plan,
  overrides: readonly ServiceOverride[],
): DriftInput => ({
  affected: plan.affected.filter((name) => !plan.peers.includes(name)),
  before: state.settledContainers,
  now: state.containers,
  wanted: new Map(overrides.map((o) => [o.service, o.digest])),
  exitOf: deps.exits.of,
  stopped: stoppedIn(deps, state),
  interrupted: state.interrupted,
  byOf: deps.manualRuns.by,
})

/** Adds the name of the person from what was told before: it is known for a moment only. */
const keepNames = (changes: readonly DriftChange[], told: readonly DriftChange[]): DriftChange[] =>
  changes.map((change) => {
    const same = told.find((t) => t.container === change.container && t.what === change.what)
    return { ...same, ...change }
  })

const tell = (
  deps: PassDeps,
  state: StackState,
  driftState: 'Found' | 'Held' | 'Flapping',
  input: DriftInput,
): void => {
  const known = state.drift
  const isNew = known === undefined || known.state === 'Healed'
  const changes = keepNames(findChanges(input), isNew ? [] : known.changes)
  state.drift = {
    state: driftState,
    since: isNew ? toTimestamp(deps.clock.now()) : known.since,
    // During healing the difference may be gone already.
    changes: changes.length === 0 && !isNew ? known.changes : changes,
  }
  deps.publish()
}

const recordStoppedByHand = async (
  deps: PassDeps,
  state: StackState,
  isHeld: boolean,
): Promise<void> => {
  const { uid } = state.want.desired
  const known = deps.stateFile.get(uid)
  if (known === undefined || (known.stoppedByHand ?? false) === isHeld) return
  await deps.stateFile.set(uid, { ...known, stoppedByHand: isHeld })
}

/**
 * True for a stack that somebody stopped as a whole. It stays down, also over new revisions and a restart of the
 * agent, until one of its containers runs again or a deploy is asked for.
 */
const isHeld = async (
  deps: PassDeps,
  state: StackState,
  input: DriftInput,
  asked: boolean,
): Promise<boolean> => {
  const now = deps.clock.monotonic()
  const known = deps.stateFile.get(state.want.desired.uid)
  if (known?.stoppedByHand === true) state.stoppedSinceMs ??= -Infinity
  const isDown = state.containers.every(isEnded)
  if (asked || !isDown) state.stoppedSinceMs = undefined
  else if (isWholeStackStopped(input)) state.stoppedSinceMs ??= now
  const isSure = state.stoppedSinceMs !== undefined && now - state.stoppedSinceMs >= sureAfterMs
  await recordStoppedByHand(deps, state, isSure)
  return state.stoppedSinceMs !== undefined
}

/**
 * Takes an event of the stack's containers. `event` undefined: events since `lostAtMs` were missed. The engine may have
 * gone down then, so that a stop shortly before may have been its own.
 */
export const takeEvent = (
  exits: ContainerExits,
  state: StackState | undefined,
  news: { event: EngineEvent | undefined; lostAtMs: number; nowMs: number },
): void => {
  exits.note(news.event, news.nowMs)
  if (news.event !== undefined || state?.stoppedSinceMs === undefined) return
  if (news.lostAtMs - state.stoppedSinceMs < sureAfterMs) state.stoppedSinceMs = undefined
}

/** How the stack differs from the last settled containers, whatever is wanted by now. */
const sinceSettled = (deps: PassDeps, state: StackState): DriftInput => {
  const before = state.settledContainers
  return {
    affected: [...new Set(before.map((c) => c.service))].sort(),
    before,
    now: state.containers,
    wanted: new Map(before.map((c) => [c.service, c.digest])),
    exitOf: deps.exits.of,
    stopped: stoppedIn(deps, state),
    interrupted: state.interrupted,
    byOf: deps.manualRuns.by,
  }
}

/** Tells what differs in a paused stack, which is not healed and does not follow new revisions. */
export const tellPaused = (deps: PassDeps, state: StackState): void => {
  const input = sinceSettled(deps, state)
  if (findChanges(input).length > 0) tell(deps, state, 'Found', input)
  else state.drift = undefined
}

export interface Rest {
  /** How long nothing is done. 0: act now; the drift has been told, and the healing counted. */
  readonly waitMs: number
  /** Services that must not be healed yet, while others are. */
  readonly blocked: readonly string[]
}

const noRest: Rest = { waitMs: 0, blocked: [] }

export const restForDrift = async (
  deps: PassDeps,
  state: StackState,
  { plan, overrides, asked }: { plan: Plan; overrides: readonly ServiceOverride[]; asked: boolean },
): Promise<Rest> => {
  if (plan.steps.length === 0) return noRest
  const now = deps.clock.now()
  const input = driftInput(deps, state, plan, overrides)
  if (await isHeld(deps, state, input, asked)) {
    state.phase = 'Paused'
    tell(deps, state, 'Held', input)
    return { waitMs: resyncMs, blocked: [] }
  }
  // It is started: it no longer stays down.
  if (state.drift?.state === 'Held') tell(deps, state, 'Found', input)
  if (asked || state.settledKey !== state.want.key) {
    // What ended before the action for the new want is healed by it, and is told. What the action ends is none.
    const found = state.settledKey === '' ? undefined : sinceSettled(deps, state)
    if (found !== undefined && findChanges(found).length > 0) tell(deps, state, 'Found', found)
    return noRest
  }
  const { uid } = state.want.desired
  const heals = deps.stateFile.get(uid)?.heals ?? state.heals
  const { waitMs, isFlapping, blocked } = guardHeal(heals, input.affected, now)
  tell(deps, state, isFlapping ? 'Flapping' : 'Found', input)
  const wait = Math.max(waitMs, waitForPerson(input, now))
  if (wait > 0) return { waitMs: wait, blocked }
  const healed = input.affected.filter((service) => !blocked.includes(service))
  state.heals = [...recentHeals(heals, now), ...healed.map((service) => ({ service, atMs: now }))]
  await saveHeals(deps.stateFile, uid, state.heals)
  return { waitMs: 0, blocked }
}

/** To be called when all is right: ends the drift. */
export const endDrift = async (deps: PassDeps, state: StackState): Promise<void> => {
  state.settledContainers = state.containers
  state.stoppedSinceMs = undefined
  if (state.drift !== undefined) state.drift = { ...state.drift, state: 'Healed' }
  await recordStoppedByHand(deps, state, false)
}
