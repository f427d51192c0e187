// All that the agent knows of one stack, in four parts. A state is never changed: functions return what changes, and the
// cell at the end of this file puts it together.
import type { NetworkEdits } from '../observed/pending-edits.ts'
import type { ReportedStagelet } from '../../src/protocol/messages.ts'
import type { Quarantined } from '../../src/kinds/observation/schema.ts'
import type { UnhealthyService } from '../observed/unhealthy-services.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { Heal } from '../observed/heal-guard.ts'
import { isHealthy, type ObservedContainer } from '../observed/container.ts'
import type { OneOffs } from '../observed/observe.ts'
import type { StackTarget } from './stack-target.ts'

/** A project that a stagelet has claimed. */
export interface ClaimedProject {
  readonly project: string
  /** Aborts when the claim ends. */
  readonly ending: AbortController
}

/** What the stack is to run. */
interface StackGoal {
  /** The target of the current or last pass, which the report tells of. */
  readonly target: StackTarget
  /** What to go back to where `target` fails. */
  readonly healthy: StackTarget | undefined
  /** The failure for which `target` is not what the controller said. */
  readonly rollbackCause: Quarantined | undefined
  readonly quarantine: readonly Quarantined[]
}

/** What the files, Compose and the engine said last. */
export interface StackObserved {
  readonly model: ComposeModel | undefined
  /** The Compose project that the stagelet has claimed. No other project is read or reported. */
  readonly claimed: ClaimedProject | undefined
  /** Volumes of the project that are not the stagelet's to delete: see claimProject. */
  readonly foundVolumes: readonly string[]
  readonly containers: readonly ObservedContainer[]
  readonly oneOffs: OneOffs
  /** By container and start, when it became healthy. */
  readonly healthyTimes: ReadonlyMap<string, string>
  /** When (wall clock) the engine was last asked for the containers, and answered. */
  readonly seenAtMs: number | undefined
  readonly missingVariables: readonly string[]
  /** Keys of file secrets that no service mounts. */
  readonly unmountedFiles: readonly string[]
  readonly pendingEdits: readonly string[]
  /** Services that Compose would change by itself, and the files and containers (`key`) that this is true for. */
  readonly diverging:
    | {
        readonly key: string
        readonly services: readonly string[]
        /** Services among them that the user has edited, rather than a service that they depend on. */
        readonly edited: readonly string[]
        readonly networks: NetworkEdits
      }
    | undefined
}

/** What is in progress, and what earlier actions and gates have found. */
interface StackProgress {
  /** By service, the digest with which it passed the gate; '' for a service without secrets. */
  readonly passed: Readonly<Record<string, string>>
  /** Service whose new values may be why it failed in the current or last action. */
  readonly gateFailure: { readonly service: string; readonly message: string } | undefined
  /** Services that were healthy, and that the user had not edited, when the last action began. */
  readonly healthyBefore: readonly string[]
  /** Services that the last action failed for, and those that wait for one of these, each with the reason. */
  readonly stuck: ReadonlyMap<string, string>
  /** Services that an action has changed and no gate has checked since, as after an action that a newer target ended. */
  readonly ungated: ReadonlySet<string>
  /** Ids of containers that were there when Compose failed: Compose itself may have stopped them. */
  readonly interrupted: ReadonlySet<string>
  /** `target.key` that failed last, how often it failed in a row, and when (monotonic) it is tried again. */
  readonly retry: { readonly key: string; readonly failures: number; readonly atMs: number }
  /** The state when all was right last. An action for the same `key` is healing; '' where something else runs now. */
  readonly settled: {
    readonly key: string
    readonly containers: readonly ObservedContainer[]
    readonly project: string
  }
  readonly heals: readonly Heal[]
  /** When (monotonic) somebody stopped the whole stack. It stays down. */
  readonly stoppedSinceMs: number | undefined
  /** No Compose of an earlier agent works on the stack any more. */
  readonly isSoleAgent: boolean
}

/** What the report tells beside the other parts. */
interface StackReported {
  readonly phase: ReportedStagelet['phase']
  readonly rollout: ReportedStagelet['rollout']
  readonly drift: ReportedStagelet['drift']
  /** The last `stagely compose` of a person. */
  readonly hand: ReportedStagelet['hand']
  readonly fault: StackFault | undefined
  /** The request for a deploy that has been followed; where nothing was to be done, too. */
  readonly deployed: string | undefined
  /** What the gate waits for; while `Pending`, what the first action waits for. */
  readonly waitingFor: readonly string[]
  /** Services that were not healthy when the stack was settled last. */
  readonly unhealthy: ReadonlyMap<string, UnhealthyService>
}

export type StackState = StackGoal & StackObserved & StackProgress & StackReported

/** What changes of a state. */
export type StackChange = Partial<StackState>

export const noRetry: StackState['retry'] = { key: '', failures: 0, atMs: 0 }

/** Nothing is known of a Compose project. */
export const noProject = {
  claimed: undefined,
  model: undefined,
  containers: [],
  oneOffs: { running: new Map(), ended: [] },
  passed: {},
  ungated: new Set(),
  pendingEdits: [],
  diverging: undefined,
  missingVariables: [],
  unmountedFiles: [],
} satisfies StackChange

export const createStackState = (target: StackTarget): StackState => ({
  ...noProject,
  target,
  healthy: undefined,
  rollbackCause: undefined,
  quarantine: [],
  foundVolumes: [],
  healthyTimes: new Map(),
  seenAtMs: undefined,
  gateFailure: undefined,
  healthyBefore: [],
  stuck: new Map(),
  interrupted: new Set(),
  retry: noRetry,
  settled: { key: '', containers: [], project: '' },
  heals: [],
  stoppedSinceMs: undefined,
  isSoleAgent: false,
  phase: 'Pending',
  rollout: undefined,
  drift: undefined,
  hand: undefined,
  fault: undefined,
  waitingFor: [],
  unhealthy: new Map(),
  deployed: undefined,
})

/** Whether it has neither come through nor been taken back. */
export const isUnfinished = (rollout: StackState['rollout']): boolean =>
  rollout?.result === 'Failed' || rollout?.result === 'Progressing'

/** Replaces the target, and keeps what is known of the stack. */
export const takeTarget = (state: StackState, target: StackTarget): StackState => {
  const [before, now] = [state.target.desired, target.desired]
  const isNew = state.target.key !== target.key
  // Revisions of another project, or from before a restore, have other numbers.
  const isForeign = before.projectUid !== now.projectUid || before.epoch !== now.epoch
  return {
    ...state,
    target,
    ...(isNew && { phase: 'Pending', fault: undefined }),
    // What was found and is not healed yet still differs; the action for the new target heals it.
    ...(isNew && state.drift?.state === 'Healed' && { drift: undefined }),
    ...(isForeign && { rollbackCause: undefined }),
    ...(isForeign && isUnfinished(state.rollout) && { rollout: undefined }),
  }
}

/** Without these services. */
export const withoutPasses = (
  passed: StackState['passed'],
  services: readonly string[],
): StackState['passed'] =>
  Object.fromEntries(Object.entries(passed).filter(([name]) => !services.includes(name)))

/** Without services whose containers carry another digest by now. */
export const withoutStalePasses = (
  passed: StackState['passed'],
  containers: readonly ObservedContainer[],
): StackState['passed'] =>
  Object.fromEntries(
    Object.entries(passed).filter(([service, digest]) => {
      const own = containers.filter((c) => c.service === service)
      return own.length > 0 && own.every((c) => c.digest === digest)
    }),
  )

/** A container that crashes again and again looks healthy for a moment after each restart. */
const stableAfterMs = 60_000
const keepsCrashing = ({ restartCount, finishedAt }: ObservedContainer, nowMs: number): boolean =>
  restartCount > 0 && nowMs - Date.parse(finishedAt ?? '') < stableAfterMs

/** Services that are healthy, and that the user has not edited. */
export const healthyServices = (
  { containers, pendingEdits }: StackObserved,
  nowMs: number,
): string[] =>
  [...new Set(containers.map((c) => c.service))].filter(
    (name) =>
      !pendingEdits.includes(name) &&
      containers
        .filter((c) => c.service === name)
        .every((c) => isHealthy(c) && !keepsCrashing(c, nowMs)),
  )

/** Holds the state of one stack. Only its loop, its pass and its actions have the cell. */
export interface StackCell {
  /** The state as of now: what was read before an `await` may be old after it. */
  readonly state: StackState
  readonly put: (change: StackChange) => void
  /** Puts the change, and tells of the stack. */
  readonly publish: (change: StackChange) => void
}

/** `tell` is called with each state to be reported. */
export const createStackCell = (
  first: StackState,
  onChange: (state: StackState) => void = () => undefined,
): StackCell => {
  let state = first
  const put = (change: StackChange): void => {
    state = { ...state, ...change }
  }
  return {
    get state() {
      return state
    },
    put,
    publish: (change) => {
      put(change)
      onChange(state)
    },
  }
}
