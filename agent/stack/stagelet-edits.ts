// Keeps up to date what Compose would change of one stack by itself. It is told as the user's pending edits, and no
// action on another service may change it.
import { messageOf } from '../../src/kernel/errors.ts'
import { isAtLeast } from '../../src/compose/compose.ts'
import { renderOverride } from '../../src/compose/override.ts'
import type { StackAction } from '../actions/action.ts'
import { callFor } from '../state/stack-target.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { findImageless, findRebuilt } from '../observed/images.ts'
import type { ObservedContainer } from '../observed/container.ts'
import {
  editedAmong,
  findDiverging,
  noNetworkEdits,
  type Diverging,
} from '../observed/pending-edits.ts'
import { unique, type ServiceModel } from '../compose/service-model.ts'
import { withDependents } from '../compose/dependencies.ts'
import { deploymentPlace } from '../borders/project-claim.ts'
import type { StackChange, StackState } from '../state/stack-state.ts'
import type { Deployment } from '../state/state-file.ts'
import type { PassDeps } from './stagelet-observe.ts'

/** The answer changes with the files, and with the containers: a person may run `up` by hand. */
const keyOf = ({ signature }: ComposeModel, containers: readonly ObservedContainer[]): string =>
  [signature, ...containers.map((c) => c.id)].join('\n')

/** What Compose would change; undefined where Compose was not asked about these files and containers. */
export const divergingNow = (state: StackState): StackState['diverging'] =>
  state.model !== undefined && state.diverging?.key === keyOf(state.model, state.containers)
    ? state.diverging
    : undefined

const deploymentOf = (deps: PassDeps, state: StackState, model: ComposeModel): Deployment => {
  const { desired } = state.target
  const services = [...new Set(state.containers.map((c) => c.service))].sort()
  const { redeploy } = desired
  const fresh = { services, redeploy, signature: '' }
  const deployment = deps.stateFile.get(desired.uid)
  const isOther = deployment !== undefined && deployment.project !== model.projectName
  return isOther
    ? deployment
    : { ...(deployment ?? fresh), ...deploymentPlace(state, model.projectName) }
}

/** By service, the hash of the definition that its containers were made from. */
const madeBy = (
  model: ComposeModel,
  { before = {}, except }: { before: Deployment['made']; except: readonly string[] },
): Record<string, string> =>
  Object.fromEntries(
    model.services.flatMap(({ name, definition }) => {
      const made = except.includes(name) ? before[name] : definition
      return made === undefined ? [] : [[name, made]]
    }),
  )

/** Notes on the disk that Compose would change these services and no others, and returns that. `acting`: services that change for their secrets. */
const recordEdits = async (
  deps: PassDeps,
  state: StackState,
  model: ComposeModel,
  { diverging: found, acting }: { diverging: Diverging; acting: readonly string[] },
): Promise<StackChange> => {
  const { uid } = state.target.desired
  const deployment = deploymentOf(deps, state, model)
  const { services } = model
  const { containers } = state
  const { networks, services: diverging } = found
  const others = diverging.filter((name) => !acting.includes(name))
  const last = { services, made: deployment.made ?? {}, composeVersion: deps.compose.version }
  const differing = editedAmong(others, last)
  const names = others.filter((name) => !differing.includes(name))
  const rebuilt = await findRebuilt(deps, model, { names, containers })
  const edited = [...differing, ...rebuilt].sort()
  // A service that depends on an acting one is named for that alone.
  const follow = withDependents(services, acting)
  const left = others.filter((name) => edited.includes(name) || !follow.includes(name))
  const isDeployed = deployment.signature === model.signature
  const kept = state.pendingEdits.filter((name) => acting.includes(name))
  const except = [...acting, ...(isDeployed ? [] : edited)]
  const made = madeBy(model, { before: deployment.made, except })
  const isAsFiles = acting.length === 0 && edited.length === 0 && networks.names.length === 0
  const signature = isAsFiles ? model.signature : deployment.signature
  await deps.stateFile.set(uid, { ...deployment, made, signature })
  return {
    diverging: { key: keyOf(model, containers), services: left, edited, networks },
    pendingEdits: isDeployed ? [] : unique([...kept, ...edited, ...networks.services]),
  }
}

/** Asks Compose, unless the answer is known. `acting`: services whose labels are not right yet. */
export const lookAtEdits = async (
  deps: PassDeps,
  state: StackState,
  { model, overrides }: Pick<StackAction, 'model' | 'overrides'>,
  acting: readonly string[],
): Promise<StackChange> => {
  if (divergingNow(state) !== undefined) return {}
  try {
    const { containers } = state
    const imageless = await findImageless(deps, model, model.services)
    const override = renderOverride(overrides)
    const { made = {} } = deploymentOf(deps, state, model)
    const call = callFor(state.target, model)
    const request = { model, containers, override, ...call, imageless, made }
    const diverging = await findDiverging(deps.compose, request)
    return await recordEdits(deps, state, model, { diverging, acting })
  } catch (error) {
    deps.log.warn({ error: messageOf(error) }, 'could not ask which services an edit would change')
    return {}
  }
}

/** Brings the answer up to date after a rollout without asking Compose: what was just made is as Compose would make it. */
export const noteEditsAfterRollout = async (
  deps: PassDeps,
  state: StackState,
  rollout: {
    action: StackAction
    /** What Compose would have changed before the rollout. */
    diverging: Diverging | undefined
    before: readonly ObservedContainer[]
  },
): Promise<StackChange> => {
  const { action, diverging: old, before } = rollout
  const { model, plan } = action
  const isAffected = (name: string): boolean => plan.affected.includes(name)
  const idsOf = (all: readonly ObservedContainer[]): string =>
    all.flatMap((c) => (isAffected(c.service) ? [] : c.id)).join()
  const isSharing = ({ name, sharesWith }: ServiceModel): boolean =>
    !isAffected(name) && sharesWith.some(isAffected)
  if (old === undefined || idsOf(before) !== idsOf(state.containers)) return {}
  if (model.services.some(isSharing)) return {}
  const byName = new Map(model.services.map((s) => [s.name, s]))
  const isOdd = (name: string): boolean =>
    !isAtLeast(deps.compose.version, '2.29.3') && byName.get(name)?.dependsOn.length !== 0
  const withoutDeps = plan.steps.flatMap((s) => (s.noDeps ? s.services.filter(isOdd) : []))
  const others = old.services.filter((name) => !isAffected(name))
  const networks = plan.steps.some((s) => s.networks === true) ? noNetworkEdits : old.networks
  const diverging = { services: unique([...others, ...withoutDeps]), networks }
  return await recordEdits(deps, state, model, { diverging, acting: [] })
}
