// Everything the agent knows of one stagelet, and the report made of it. One owner: its loop.
import type { NetworkEdits } from './pending-edits.ts'
import type { DesiredStagelet, ReportedStagelet } from '../src/protocol/messages.ts'
import { createMasker } from '../src/masking/masker.ts'
import type { Masker } from '../src/masking/masker.ts'
import { engineUnavailable, type Quarantined } from '../src/resources/observation.ts'
import { serviceDigest } from '../src/secrets/digest.ts'
import { globalsFor, visibleTo } from '../src/secrets/visible.ts'
import type { SetEntry } from '../src/secrets/visible.ts'
import type { UnhealthyService } from './unhealthy-services.ts'
import { globalVariables } from './compose-environment.ts'
import type { Environment } from '../src/compose/environment.ts'
import type { StackFault } from './allowed-folders.ts'
import type { ComposeModel } from './compose-model.ts'
import type { ServicePlan } from './file-plan.ts'
import type { Heal } from './heal-guard.ts'
import type { ClaimedProject } from './project-claim.ts'
import { isCutOff, isHealthy, toObservedService } from './observe.ts'
import type { ObservedContainer } from './observe.ts'
import type { ServiceOverride } from '../src/compose/override.ts'

/** One secret of the stagelet's set, opened. */
export type OpenedSecret = SetEntry & { readonly value: Buffer }

/** What is wanted, with all that follows from it. Replaced whole, never changed. */
export interface Want {
  readonly desired: DesiredStagelet
  readonly entries: readonly OpenedSecret[]
  /** Environment of Compose, without secrets. */
  readonly base: Environment
  /** Global secrets that may fill variables of the files. */
  readonly globals: Environment
  /** Same key: same target. A failure is retried by backoff while it stays. */
  readonly key: string
  /** By digest, the values of this set and of those that may still be running. */
  readonly values: ReadonlyMap<string, Buffer>
  /** Hides them. */
  readonly mask: (text: string) => string
}

/** Takes out the folder and every path below it. */
const pathHider = (folder: string): ((text: string) => string) => {
  const escaped = folder.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const paths = new RegExp(`${escaped}[\\w./-]*`, 'g')
  return (text) => text.replace(paths, '(a file secret)')
}

/** `before` is the want that this one follows; `settled` says that it runs whole, so that nothing older does. */
export const createWant = (
  given: {
    readonly desired: DesiredStagelet
    readonly entries: readonly OpenedSecret[]
    readonly base: Environment
    /** Folder that is said to nobody. */
    readonly hidden?: string
    /** Others whose values may be running or be said: masked as well. */
    readonly also?: readonly OpenedSecret[]
  },
  before: Want | undefined,
  settled: boolean,
): Want => {
  const { desired, entries, base, hidden, also = [] } = given
  const withoutPaths = hidden === undefined ? (text: string) => text : pathHider(hidden)
  const own = (list: readonly OpenedSecret[]): [string, Buffer][] =>
    list.map((e) => [e.valueDigest, e.value])
  const older = before === undefined ? [] : settled ? own(before.entries) : [...before.values]
  const values = new Map([...older, ...own(also), ...own(entries)])
  let masker: Masker | undefined
  const { generation: _g, order: _o, healthyRevision: _h, ...target } = desired
  return {
    desired,
    entries,
    values,
    base,
    globals: globalVariables(base, globalsFor(desired.name, entries)),
    key: JSON.stringify(target),
    // Made when first needed: building it must not delay `up`.
    mask: (text) => (masker ??= createMasker([...values.values()])).mask(withoutPaths(text)),
  }
}

/** What each service gets; services that see nothing are absent. */
export const overridesFor = (
  want: Want,
  services: readonly string[],
  files?: ReadonlyMap<string, ServicePlan>,
): ServiceOverride[] =>
  services.flatMap((service) => {
    const visible = visibleTo(service, want.desired.name, want.entries)
    const digest = serviceDigest(visible)
    if (digest === undefined) return []
    const { mounts = [], variables = [] } = files?.get(service) ?? {}
    const entries = [...visible.filter((e) => e.type === 'env'), ...variables]
    return [{ service, digest, entries, mounts }]
  })

export interface StackState {
  /** What the current or last pass works for; the report speaks of this. */
  want: Want
  phase: ReportedStagelet['phase']
  model: ComposeModel | undefined
  /** The Compose project that is the stagelet's; of any other nothing is known or told. */
  claimed: ClaimedProject | undefined
  /** Volumes of the project that the stagelet has found there: see findVolumesOfOthers. */
  foundVolumes: readonly string[]
  containers: readonly ObservedContainer[]
  /** Digest by service that passed the gate; '' where it was given nothing. */
  passed: Record<string, string>
  fault: StackFault | undefined
  rollout: ReportedStagelet['rollout']
  /** What to go back to where `want` fails. */
  healthy: Want | undefined
  /** What `want` is run in place of, because it failed. */
  goingBackFrom: Quarantined | undefined
  quarantine: readonly Quarantined[]
  /** Service that failed for what it was given, in the action under way or just ended. */
  gateFailure: { readonly service: string; readonly message: string } | undefined
  /** Services that were well, and without an edit of the user's, when the last action began. */
  healthyBefore: readonly string[]
  pendingEdits: readonly string[]
  /** Services that Compose would change, for these files and containers. */
  diverging:
    | {
        readonly key: string
        readonly services: readonly string[]
        /** Those of them that differ by themselves, and not for what they depend on. */
        readonly edited: readonly string[]
        readonly networks: NetworkEdits
      }
    | undefined
  /** Services that the last action could not bring to what is wanted, and why. */
  stuck: ReadonlyMap<string, string>
  /** Services that an action has touched, and that no gate has judged since: something newer may have ended it. */
  ungated: ReadonlySet<string>
  /** Ids of containers that Compose was at work on when it failed: it may have asked the engine to stop them. */
  interrupted: ReadonlySet<string>
  missingVariables: readonly string[]
  /** Keys of file secrets that no service mounts. */
  unmountedFiles: readonly string[]
  /** `want.key` that failed, how often, and when (monotonic) it may be tried again. */
  failedKey: string
  failures: number
  retryAtMs: number
  /** `want.key` that was last settled; acting for it again is healing. */
  settledKey: string
  /** Containers as they were then. */
  settledContainers: readonly ObservedContainer[]
  heals: readonly Heal[]
  drift: ReportedStagelet['drift']
  /** What a person did last through the agent. */
  hand: ReportedStagelet['hand']
  /** Since when (monotonic) the whole stack is down because somebody stopped it; it is left so. */
  stoppedSinceMs: number | undefined
  /** What the gate waits for, or, while `Pending`, the first action. */
  waitingFor: readonly string[]
  /** Services that were not well when the stack was last settled. */
  unhealthy: ReadonlyMap<string, UnhealthyService>
  /** An action has begun since this agent was started. */
  hasActed: boolean
}

export const createStackState = (want: Want): StackState => ({
  want,
  phase: 'Pending',
  model: undefined,
  claimed: undefined,
  foundVolumes: [],
  containers: [],
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
  missingVariables: [],
  unmountedFiles: [],
  failedKey: '',
  failures: 0,
  retryAtMs: 0,
  settledKey: '',
  settledContainers: [],
  heals: [],
  drift: undefined,
  hand: undefined,
  stoppedSinceMs: undefined,
  waitingFor: [],
  unhealthy: new Map(),
  hasActed: false,
})

/** The state with another want; what is known of the stack stays known. */
export const takeWant = (state: StackState | undefined, want: Want): StackState => {
  if (state === undefined) return createStackState(want)
  if (state.want.key !== want.key) {
    state.phase = 'Pending'
    state.fault = undefined
    if (state.drift?.state !== 'Held') state.drift = undefined
  }
  state.want = want
  return state
}

/** The gate that these services passed says nothing any more. */
export const forgetPasses = (state: StackState, services: readonly string[]): void => {
  state.passed = Object.fromEntries(
    Object.entries(state.passed).filter(([name]) => !services.includes(name)),
  )
}

/** Takes back the pass of services whose containers no longer carry that digest. */
export const forgetStalePasses = (state: StackState): void => {
  state.passed = Object.fromEntries(
    Object.entries(state.passed).filter(([service, digest]) => {
      const own = state.containers.filter((c) => c.service === service)
      return own.length > 0 && own.every((c) => c.digest === digest)
    }),
  )
}

/** What its restart policy had to start again just now runs for a moment, also where it crashes for ever. */
const steadyAfterMs = 60_000
const keepsCrashing = ({ restartCount, finishedAt }: ObservedContainer, nowMs: number): boolean =>
  restartCount > 0 && nowMs - Date.parse(finishedAt ?? '') < steadyAfterMs

/** Notes who is well before an action begins. */
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

const isBlind = ({ fault }: StackState): boolean => fault?.reason === engineUnavailable

/** The facts, as they are reported. */
export const toObservation = (state: StackState): ReportedStagelet => {
  const { desired } = state.want
  const names = state.model?.services.map((s) => s.name) ?? [
    ...new Set(state.containers.map((c) => c.service)),
  ]
  const project = state.model?.projectName ?? desired.compose.projectName
  return {
    stageletUid: desired.uid,
    generation: desired.generation,
    projectUid: desired.projectUid,
    epoch: desired.epoch,
    revision: desired.revision,
    phase: state.phase,
    // Nothing is seen without the engine, and what was seen before may be so no more.
    services: (isBlind(state) ? [] : names.sort()).map((name) => {
      const own = state.containers.filter((c) => c.service === name)
      const model = state.model?.services.find((s) => s.name === name)
      const { scale, sharesWith = [], linksTo = [], variables = [] } = model ?? {}
      const shared = { sharesWith, linksTo }
      const unhealthy = state.phase === 'Settled' ? state.unhealthy.get(name)?.detail : undefined
      const detail = state.stuck.get(name) ?? unhealthy
      return {
        ...toObservedService(name, own, scale),
        ...(detail === undefined ? {} : { detail }),
        ...(sharesWith.length === 0 ? {} : { sharesWith: [...sharesWith] }),
        ...(own.some((c) => isCutOff(shared, c, state.containers)) ? { cutOff: true } : {}),
        ...(variables.length === 0 ? {} : { composeKeys: [...variables] }),
      }
    }),
    passed: { ...state.passed },
    pendingEdits: [...state.pendingEdits],
    missingVariables: [...state.missingVariables],
    unmountedFiles: [...state.unmountedFiles],
    ...(project === undefined ? {} : { composeProject: project }),
    ...(state.rollout === undefined ? {} : { rollout: state.rollout }),
    ...(state.quarantine.length === 0 ? {} : { quarantine: [...state.quarantine] }),
    ...(state.drift === undefined ? {} : { drift: state.drift }),
    ...(state.hand === undefined ? {} : { hand: state.hand }),
    ...(state.waitingFor.length === 0 ? {} : { waitingFor: [...state.waitingFor] }),
    ...(state.fault === undefined ? {} : { fault: { ...state.fault } }),
  }
}
