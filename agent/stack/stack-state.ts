// All that the agent knows of one stagelet. Only the stagelet's loop changes it.
import type { NetworkEdits } from '../actions/pending-edits.ts'
import type { ReportedStagelet } from '../../src/protocol/messages.ts'
import type { Quarantined } from '../../src/resources/kinds/observation.ts'
import type { UnhealthyService } from '../observed/unhealthy-services.ts'
import type { StackFault } from '../compose/allowed-folders.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import type { Heal } from '../observed/heal-guard.ts'
import type { ClaimedProject } from './project-claim.ts'
import { isHealthy } from '../observed/observe.ts'
import type { ObservedContainer, OneOffs } from '../observed/observe.ts'
import type { Want } from './want.ts'

export interface StackState {
  /** The want of the current or last pass, which the report tells of. */
  want: Want
  phase: ReportedStagelet['phase']
  model: ComposeModel | undefined
  /** The Compose project that the stagelet has claimed. Nothing is read or told of another one. */
  claimed: ClaimedProject | undefined
  /** Volumes of the project that are not the stagelet's to delete: see claimProject. */
  foundVolumes: readonly string[]
  containers: readonly ObservedContainer[]
  oneOffs: OneOffs
  /** By container and start, when it became healthy. */
  healthyTimes: ReadonlyMap<string, string>
  /** By service, the digest with which it passed the gate; '' for a service without secrets. */
  passed: Record<string, string>
  fault: StackFault | undefined
  rollout: ReportedStagelet['rollout']
  /** What to go back to where `want` fails. */
  healthy: Want | undefined
  /** The failure for which `want` is not what the controller said. */
  goingBackFrom: Quarantined | undefined
  quarantine: readonly Quarantined[]
  /** Service whose new values may be why it failed in the current or last action. */
  gateFailure: { readonly service: string; readonly message: string } | undefined
  /** Services that were healthy, and that the user had not edited, when the last action began. */
  healthyBefore: readonly string[]
  pendingEdits: readonly string[]
  /** Services that Compose would change by itself, and the files and containers (`key`) that this is true for. */
  diverging:
    | {
        readonly key: string
        readonly services: readonly string[]
        /** Services among them that the user has edited, rather than a service that they depend on. */
        readonly edited: readonly string[]
        readonly networks: NetworkEdits
      }
    | undefined
  /** Services that the last action failed for, and those that wait for one of these, each with the reason. */
  stuck: ReadonlyMap<string, string>
  /** Services that an action has changed and no gate has checked since, as after an action that a newer want ended. */
  ungated: ReadonlySet<string>
  /** Ids of containers that were there when Compose failed: Compose itself may have stopped them. */
  interrupted: ReadonlySet<string>
  /** When (wall clock) the engine was last asked for the containers, and answered. */
  seenAtMs: number | undefined
  missingVariables: readonly string[]
  /** Keys of file secrets that no service mounts. */
  unmountedFiles: readonly string[]
  /** `want.key` that failed last, how often it failed in a row, and when (monotonic) it is tried again. */
  failedKey: string
  failures: number
  retryAtMs: number
  /** `want.key` that was settled last. An action for the same key is healing. */
  settledKey: string
  /** The containers when the stack was settled last. */
  settledContainers: readonly ObservedContainer[]
  /** Their Compose project. */
  settledProject: string
  heals: readonly Heal[]
  drift: ReportedStagelet['drift']
  /** The last `stagely compose` of a person. */
  hand: ReportedStagelet['hand']
  /** When (monotonic) somebody stopped the whole stack. It stays down. */
  stoppedSinceMs: number | undefined
  /** What the gate waits for; while `Pending`, what the first action waits for. */
  waitingFor: readonly string[]
  /** Services that were not healthy when the stack was settled last. */
  unhealthy: ReadonlyMap<string, UnhealthyService>
  /** No Compose of an agent before this one is at work on the stack any more. */
  isAlone: boolean
}

export const noOneOffs: OneOffs = { running: new Map(), ended: [] }

export const createStackState = (want: Want): StackState => ({
  want,
  phase: 'Pending',
  model: undefined,
  claimed: undefined,
  foundVolumes: [],
  containers: [],
  oneOffs: noOneOffs,
  healthyTimes: new Map(),
  passed: {},
  fault: undefined,
  rollout: undefined,
  healthy: undefined,
  goingBackFrom: undefined,
  quarantine: [],
  gateFailure: undefined,
  healthyBefore: [],
  pendingEdits: [],
  diverging: undefined,
  stuck: new Map(),
  ungated: new Set(),
  interrupted: new Set(),
  seenAtMs: undefined,
  missingVariables: [],
  unmountedFiles: [],
  failedKey: '',
  failures: 0,
  retryAtMs: 0,
  settledKey: '',
  settledContainers: [],
  settledProject: '',
  heals: [],
  drift: undefined,
  hand: undefined,
  stoppedSinceMs: undefined,
  waitingFor: [],
  unhealthy: new Map(),
  isAlone: false,
})

/** Whether it has neither come through nor been taken back. */
export const isUnfinished = (rollout: StackState['rollout']): boolean =>
  rollout?.result === 'Failed' || rollout?.result === 'Progressing'

/** Replaces the want, and keeps what is known of the stack. */
export const takeWant = (state: StackState | undefined, want: Want): StackState => {
  if (state === undefined) return createStackState(want)
  if (state.want.key !== want.key) {
    state.phase = 'Pending'
    state.fault = undefined
    // What was found and is not healed yet still differs; the action for the new want heals it.
    if (state.drift?.state === 'Healed') state.drift = undefined
  }
  const [before, now] = [state.want.desired, want.desired]
  // Revisions of another project, or of before a restore, have other numbers.
  if (before.projectUid !== now.projectUid || before.epoch !== now.epoch) {
    state.goingBackFrom = undefined
    if (isUnfinished(state.rollout)) state.rollout = undefined
  }
  state.want = want
  return state
}

/** To be called when another Compose project was claimed: containers of two projects are never compared. */
export const forgetSettled = (state: StackState, project: string): void => {
  state.settledProject = project
  state.settledKey = ''
  state.settledContainers = []
  state.stuck = new Map()
  state.drift = undefined
}

/** Forgets that these services have passed the gate. */
export const forgetPasses = (state: StackState, services: readonly string[]): void => {
  state.passed = Object.fromEntries(
    Object.entries(state.passed).filter(([name]) => !services.includes(name)),
  )
}

/** Forgets it of services whose containers carry another digest by now. */
export const forgetStalePasses = (state: StackState): void => {
  state.passed = Object.fromEntries(
    Object.entries(state.passed).filter(([service, digest]) => {
      const own = state.containers.filter((c) => c.service === service)
      return own.length > 0 && own.every((c) => c.digest === digest)
    }),
  )
}

/** A container that crashes again and again looks healthy for a moment after each restart. */
const steadyAfterMs = 60_000
const keepsCrashing = ({ restartCount, finishedAt }: ObservedContainer, nowMs: number): boolean =>
  restartCount > 0 && nowMs - Date.parse(finishedAt ?? '') < steadyAfterMs

/** To be called before an action: notes which services are healthy. */
export const noteHealthyServices = (state: StackState, nowMs: number): void => {
  const names = [...new Set(state.containers.map((c) => c.service))]
  state.healthyBefore = names.filter(
    (name) =>
      !state.pendingEdits.includes(name) &&
      state.containers
        .filter((c) => c.service === name)
        .every((c) => isHealthy(c) && !keepsCrashing(c, nowMs)),
  )
}
