// All that the agent knows of one stagelet, and the report made from it. Only the stagelet's loop changes it.
import type { NetworkEdits } from './pending-edits.ts'
import type { DesiredStagelet, ReportedStagelet } from '../src/protocol/messages.ts'
import { createMasker } from '../src/masking/masker.ts'
import type { Masker } from '../src/masking/masker.ts'
import {
  engineUnavailable,
  type Quarantined,
  type StrayService,
} from '../src/resources/observation.ts'
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
import { healthySinceOf, healthyTimes, type HealthEvents } from './healthy-since.ts'
import { isCutOff, isEnded, isHealthy, toObservedService } from './observe.ts'
import type { ObservedContainer } from './observe.ts'
import type { ServiceOverride } from '../src/compose/override.ts'
import { defined } from '../src/kernel/defined.ts'

/** One secret of the stagelet's set, decrypted. */
export type OpenedSecret = SetEntry & { readonly value: Buffer }

/** A desired state of the stagelet with its secrets. Never changed, only replaced as a whole. */
export interface Want {
  readonly desired: DesiredStagelet
  readonly entries: readonly OpenedSecret[]
  /** Environment of Compose, without secrets. */
  readonly base: Environment
  /** Global secrets that may set variables of the user's files. */
  readonly globals: Environment
  /** Two wants with the same key ask for the same. A failure is tried again with growing delays while the key stays. */
  readonly key: string
  /** By digest, the values of this set and of earlier ones that may still run. */
  readonly values: ReadonlyMap<string, Buffer>
  /** Hides these values in a text. */
  readonly mask: (text: string) => string
}

/** Hides the folder and every path below it in a text. */
const pathHider = (folder: string): ((text: string) => string) => {
  const escaped = folder.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const paths = new RegExp(`${escaped}[\\w./-]*`, 'g')
  return (text) => text.replace(paths, '(a file secret)')
}

/** `before` is the want that this one replaces. `settled`: all of `before` runs, so that no older value does. */
export const createWant = (
  parts: {
    readonly desired: DesiredStagelet
    readonly entries: readonly OpenedSecret[]
    readonly base: Environment
    /** Folder whose paths are hidden in texts. */
    readonly hidden?: string
    /** Other secrets whose values are hidden in texts, too. */
    readonly also?: readonly OpenedSecret[]
  },
  before: Want | undefined,
  settled: boolean,
): Want => {
  const { desired, entries, base, hidden, also = [] } = parts
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
    // The masker is made when it is first needed, so that it does not delay `up`.
    mask: (text) => (masker ??= createMasker([...values.values()])).mask(withoutPaths(text)),
  }
}

/** The secrets of each service, without services that see none. */
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
  /** The want of the current or last pass, which the report tells of. */
  want: Want
  phase: ReportedStagelet['phase']
  model: ComposeModel | undefined
  /** The Compose project that the stagelet has claimed. Nothing is read or told of another one. */
  claimed: ClaimedProject | undefined
  /** Volumes of the project that are not the stagelet's to delete: see findVolumesOfOthers. */
  foundVolumes: readonly string[]
  containers: readonly ObservedContainer[]
  /** By service, the digests of its running containers of `compose run`. */
  oneOffs: ReadonlyMap<string, readonly string[]>
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
  oneOffs: new Map(),
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

/** Replaces the want, and keeps what is known of the stack. */
export const takeWant = (state: StackState | undefined, want: Want): StackState => {
  if (state === undefined) return createStackState(want)
  if (state.want.key !== want.key) {
    state.phase = 'Pending'
    state.fault = undefined
    // What was found and is not healed yet still differs; the action for the new want heals it.
    if (state.drift?.state === 'Healed') state.drift = undefined
  }
  state.want = want
  return state
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

const isBlind = ({ fault }: StackState): boolean => fault?.reason === engineUnavailable

/** What Compose no longer knows runs on, such as the container of a service that was renamed. */
const straysOf = (
  { containers, oneOffs }: StackState,
  names: readonly string[],
): StrayService[] => {
  const running = containers.filter((c) => !isEnded(c)).map((c) => [c.service, c.digest] as const)
  const single = [...oneOffs].flatMap(([name, digests]) =>
    digests.map((one) => [name, one] as const),
  )
  const found = new Map<string, Set<string>>()
  for (const [name, digest] of [...running, ...single])
    if (digest !== '' && !names.includes(name))
      found.set(name, (found.get(name) ?? new Set()).add(digest))
  return [...found].sort().map(([name, digests]) => ({ name, digests: [...digests].sort() }))
}

/** The report. */
export const toObservation = (state: StackState): ReportedStagelet => {
  const { desired } = state.want
  const names = state.model?.services.map((s) => s.name) ?? [
    ...new Set(state.containers.map((c) => c.service)),
  ]
  const strays = isBlind(state) ? [] : straysOf(state, names)
  const project = state.model?.projectName ?? desired.compose.projectName
  return {
    stageletUid: desired.uid,
    generation: desired.generation,
    projectUid: desired.projectUid,
    epoch: desired.epoch,
    revision: desired.revision,
    phase: state.phase,
    // Without the engine nothing is seen, and what was seen before may have changed.
    services: (isBlind(state) ? [] : names.sort()).map((name) => {
      const own = state.containers.filter((c) => c.service === name)
      const model = state.model?.services.find((s) => s.name === name)
      const { scale, sharesWith = [], linksTo = [], variables = [] } = model ?? {}
      const shared = { sharesWith, linksTo }
      const unhealthy = state.phase === 'Settled' ? state.unhealthy.get(name)?.detail : undefined
      const detail = state.stuck.get(name) ?? unhealthy
      return {
        ...toObservedService(name, own, scale),
        ...defined({ healthySince: healthySinceOf(own, state.healthyTimes), detail }),
        ...(sharesWith.length === 0 ? {} : { sharesWith: [...sharesWith] }),
        ...(own.some((c) => isCutOff(shared, c, state.containers)) ? { cutOff: true } : {}),
        ...(variables.length === 0 ? {} : { composeKeys: [...variables] }),
        ...(state.oneOffs.has(name) ? { oneOff: [...(state.oneOffs.get(name) ?? [])].sort() } : {}),
      }
    }),
    passed: { ...state.passed },
    pendingEdits: [...state.pendingEdits],
    missingVariables: [...state.missingVariables],
    unmountedFiles: [...state.unmountedFiles],
    ...(strays.length === 0 ? {} : { strays }),
    ...defined({ composeProject: project, rollout: state.rollout }),
    ...(state.quarantine.length === 0 ? {} : { quarantine: [...state.quarantine] }),
    ...defined({ drift: state.drift, hand: state.hand }),
    ...(state.waitingFor.length === 0 ? {} : { waitingFor: [...state.waitingFor] }),
    ...(state.fault === undefined ? {} : { fault: { ...state.fault } }),
  }
}

/** The report, with what is seen by now of when containers became healthy. */
export const reportOf = (state: StackState, saidOf: HealthEvents['of']): ReportedStagelet => {
  state.healthyTimes = healthyTimes(state.containers, state.healthyTimes, saidOf)
  return toObservation(state)
}
