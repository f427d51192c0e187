// The loop of one stagelet: it makes the stack match what is wanted, pass by pass.
//
// INVARIANTS
// - One pass at a time, for the newest target. A running `up` is never interrupted, only what follows it.
// - Where the labels are right, the first pass runs no `up`, only the gate.
// - `passed` holds only what a gate saw, with the label read from the engine.
import type { DesiredStagelet, ReportedStagelet } from '../../src/protocol/messages.ts'
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { isReason, messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { done, waitFor, type ReconcileOutcome } from '../../src/runtime/control-loop.ts'
import { startSingleLoop } from '../../src/runtime/single-loop.ts'
import { isUnmaskable } from '../../src/masking/hit-counter.ts'
import { visibleTo } from '../../src/secrets/visible.ts'
import type { Environment } from '../../src/compose/environment.ts'
import type { AllowedFolders, StackFault } from '../compose/allowed-folders.ts'
import { createManualRuns } from '../by-hand/manual-runs.ts'
import { runByHand, type ManualOrder } from '../by-hand/run.ts'
import { createModelSource } from '../borders/model-source.ts'
import type { Compose } from '../../src/compose/compose.ts'
import type { Engine, EngineEvent } from '../docker/engine.ts'
import type { EventHub, EventListener } from '../docker/event-hub.ts'
import { createHealthEvents, healthyTimes } from '../observed/healthy-since.ts'
import { createContainerLives } from '../observed/container-lives.ts'
import { createContainerExits } from '../observed/container-exits.ts'
import type { FileStore } from '../files/file-store.ts'
import { createFileWatch } from '../files/file-watch.ts'
import { createKnownValues, type KnownValues, type TaskSource } from '../logs/known-values.ts'
import type { PrintedSource } from '../look/counts.ts'
import type { LogRefusal } from '../logs/project-log.ts'
import { engineUnavailable } from '../../src/kinds/observation/schema.ts'
import type { ProjectLocks } from '../borders/project-locks.ts'
import { rollbackCauseOf } from '../actions/rollback.ts'
import {
  createStackCell,
  createStackState,
  takeTarget,
  type StackCell,
  type StackState,
} from '../state/stack-state.ts'
import { toObservation } from './stack-report.ts'
import type { OpenedSecret, StackTarget } from '../state/stack-target.ts'
import { stoppedAfterGap } from './stagelet-drift.ts'
import { stoppedIn } from './stagelet-observe.ts'
import { runPass } from './stagelet-pass.ts'
import { saveQuarantine, type StateFile } from '../state/state-file.ts'
import { createTargetChooser, type ChosenTarget } from './choose-target.ts'

export interface StageletLoopDeps {
  readonly engine: Engine
  readonly compose: Compose
  readonly events: EventHub
  readonly stateFile: StateFile
  /** Shared by all loops of the agent. */
  readonly locks: ProjectLocks
  /** File secrets on the tmpfs; shared by all loops of the agent. */
  readonly files: FileStore
  readonly clock: Clock
  readonly log: Logger
  /** The part of the agent's own environment that Compose processes get (`baseEnvironment`). */
  readonly baseEnv: Environment
  /** Folders that stacks may be in. */
  readonly folders: AllowedFolders
  /** By uid of a stagelet, the file of the images that it chooses. */
  readonly imagesFile: (uid: string) => string
  /** Deadline of one run of Compose. */
  readonly upDeadlineMs: number
  /** Called with each report that differs from the last one. */
  readonly onChange: (observation: ReportedStagelet) => void
}

export interface StageletLoop {
  /**
   * Takes the desired state with its secrets, and those of the revisions to go back to where that fails. Returns at
   * once; the action for an older target ends at its next safe point.
   */
  setDesired(
    desired: DesiredStagelet,
    entries: readonly OpenedSecret[],
    healthy?: readonly OpenedSecret[],
    previous?: readonly OpenedSecret[],
  ): void
  /** Asks for a pass soon, as after an event. */
  schedule(): void
  /** Ends the loop, and resolves when a running `up` has finished. Containers stay. */
  stop(): Promise<void>
  /** The desired state that is to run now; undefined before the first target. */
  wanted(): DesiredStagelet | undefined
  /** Runs Compose for a person, and resolves to its exit code; StagelyError where it cannot be run. */
  readonly byHand: (order: ManualOrder) => Promise<number>
  /** Where the logs of the stack are and what is hidden in them, or why this agent gives none. */
  logSource(): (PrintedSource & TaskSource) | LogRefusal
}

const settleEventsMs = 400
const engineRetryMs = 5_000

export const createStageletLoop = (deps: StageletLoopDeps): StageletLoop => {
  const { compose, folders, engine, imagesFile } = deps
  const models = createModelSource(compose, folders, () => engine.writableMounts(), imagesFile)
  const heard = createHeard()
  const { exits, health, lives } = heard
  const knownValues = createKnownValues()
  let cell: StackCell | undefined
  const chooser = createTargetChooser({ ...deps, state: () => cell?.state })
  let stopped = false
  let pass = new AbortController()
  const run = async (): Promise<ReconcileOutcome> => {
    const choice = chooser.choose()
    return stopped || choice === undefined ? done : waitFor(await onePass(choice))
  }
  const loop = startSingleLoop(deps, { name: 'stack', settleMs: settleEventsMs, run })
  const fileWatch = createFileWatch(loop.schedule)
  const manualRuns = createManualRuns(deps.clock)
  const choose = (): StackTarget | undefined => chooser.choose()?.run
  const manual = { ...deps, models, manualRuns, choose, masker: knownValues.masker }

  const reportNews = onlyNews(deps.onChange)
  const report = (state: StackState): void => {
    const times = healthyTimes(state.containers, state.healthyTimes, health.firstHealthyOf)
    cell?.put({ healthyTimes: times })
    const [removed, ended] = [lives.removed(state.containers), stoppedIn({ ...deps, exits }, state)]
    reportNews(toObservation({ ...state, healthyTimes: times }, ended, removed))
  }
  const onEvent: EventListener = (event, lostAtMs) => {
    heard.note(event, deps.clock.now())
    if (event?.Action === 'create') return
    if (event === undefined) cell?.put({ stoppedSinceMs: stoppedAfterGap(cell.state, lostAtMs) })
    loop.schedule()
  }
  const { follow: onProject, ...subscription } = createSubscription(deps.events, onEvent)
  const isOfState = (): boolean => choose()?.key === cell?.state.target.key
  const isSuperseded = (): boolean => stopped || !isOfState()

  const onePass = async (chosen: ChosenTarget): Promise<number> => {
    const { run: target, healthy, rollbackCause } = chosen
    const current = (cell ??= createStackCell(createStackState(target), report))
    current.put(takeTarget(current.state, target))
    current.put({ healthy, quarantine: chooser.quarantine(), hand: manualRuns.last() })
    current.put({ rollbackCause: rollbackCause ?? rollbackCauseOf(current.state) })
    const { name, uid, revision } = target.desired
    const log = deps.log.child({ stagelet: name, revision })
    pass = new AbortController()
    try {
      await saveQuarantine(deps.stateFile, uid, current.state.quarantine)
      const passDeps = { ...deps, log, models, exits, lives, manualRuns, onProject }
      return await runPass(passDeps, current, { isSuperseded, signal: pass.signal })
    } catch (error) {
      const fault = faultOf(current.state, error)
      current.put({ phase: 'Failed', fault })
      log.error({ error: fault.message }, 'pass failed')
      return engineRetryMs
    } finally {
      chooser.setQuarantine(current.state.quarantine)
      if (!stopped) fileWatch.follow(models.watched())
      current.publish({})
    }
  }

  return {
    setDesired: (desired, entries, healthy, previous) => {
      knownValues.learn(entries, [...(healthy ?? []), ...(previous ?? [])])
      chooser.set(desired, entries, healthy, previous)
      // The key is the same where the controller only says what the agent has done by itself already.
      if (!isOfState()) pass.abort()
      loop.runNow()
    },
    schedule: loop.schedule,
    stop: async () => {
      stopped = true
      pass.abort()
      await loop.stop()
      subscription.stop()
      fileWatch.stop()
      if (chooser.uid !== undefined) deps.locks.release(chooser.uid)
    },
    wanted: () => choose()?.desired,
    byHand: (order) => runByHand(manual, order).finally(loop.schedule),
    logSource: () => logSourceOf(cell, knownValues),
  }
}

const faultOf = ({ seenAtMs, target }: StackState, error: unknown): StackFault => {
  const message = target.mask(messageOf(error))
  if (!isReason(error, 'ServiceUnavailable')) return { reason: 'AgentError', message }
  const lastSeen = seenAtMs === undefined ? {} : { seenAt: toTimestamp(seenAtMs) }
  return { reason: engineUnavailable, message, ...lastSeen }
}

/** No logs of a project that the stagelet has not claimed. */
const logSourceOf = (
  cell: StackCell | undefined,
  knownValues: KnownValues,
): (PrintedSource & TaskSource) | LogRefusal =>
  cell?.state.claimed === undefined
    ? { refused: cell?.state.fault?.message ?? 'it has not looked at the stack yet' }
    : {
        ...knownValues.sourceOf(cell.state.claimed),
        values: knownValues.values,
        unmaskableOf: (service) => unmaskableKeys(cell.state.target, service),
      }

/** Keys that a service sees, whose values are too short to be hidden. */
const unmaskableKeys = ({ desired, entries }: StackTarget, service: string): string[] =>
  visibleTo(service, desired.name, entries)
    .filter(({ value, plain }) => plain !== true && isUnmaskable(value))
    .map(({ key }) => key)

/** What the events of the engine tell. */
const createHeard = () => {
  const exits = createContainerExits()
  const health = createHealthEvents()
  const lives = createContainerLives()
  const note = (event: EngineEvent | undefined, nowMs: number): void => {
    lives.note(event)
    health.note(event)
    exits.note(event, nowMs)
  }
  return { exits, health, lives, note }
}

/** Follows the events of one project at a time. */
const createSubscription = (
  events: EventHub,
  onEvent: EventListener,
): { readonly follow: (project: string | undefined) => void; readonly stop: () => void } => {
  let current: { project: string; stop: () => void } | undefined
  return {
    follow: (project) => {
      if (current?.project === project) return
      current?.stop()
      current =
        project === undefined ? undefined : { project, stop: events.subscribe(project, onEvent) }
    },
    stop: () => current?.stop(),
  }
}

/** Passes on a report only where it differs from the last one. */
const onlyNews = (onChange: StageletLoopDeps['onChange']): StageletLoopDeps['onChange'] => {
  let reported = ''
  return (observation) => {
    const text = JSON.stringify(observation)
    if (text === reported) return
    reported = text
    onChange(observation)
  }
}
