// Plans the action of one pass, with what Compose would change by itself and which images are here.
import { isAtLeast } from '../../src/compose/compose.ts'
import type { ServiceOverride } from '../../src/compose/override.ts'
import type { StackAction } from '../actions/action.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { findImageless } from '../observed/images.ts'
import { observeProject } from '../observed/observe.ts'
import { isCompleted } from '../observed/container.ts'
import { noNetworkEdits } from '../observed/pending-edits.ts'
import { planAction, withNetworks, withoutServices, type PlanInput } from '../actions/plan.ts'
import type { StackChange, StackState } from '../state/stack-state.ts'
import type { ActionStep } from '../actions/steps.ts'
import { divergingNow, lookAtEdits } from './stagelet-edits.ts'
import { stoppedIn, type PassDeps } from './stagelet-observe.ts'

/** Services with secrets that have not passed the gate with them. */
export const unprovenIn = (
  { passed }: StackState,
  overrides: readonly ServiceOverride[],
): string[] => overrides.filter((o) => passed[o.service] !== o.digest).map((o) => o.service)

/** The facts for the plan, without `edited`: the edits that a deploy rolls out. */
const planInput = (
  deps: PassDeps,
  state: StackState,
  { model, overrides }: Pick<StackAction, 'model' | 'overrides'>,
): Omit<PlanInput, 'edited'> => ({
  services: model.services,
  wanted: new Map(overrides.map((o) => [o.service, o.digest])),
  containers: state.containers,
  deployed: deps.stateFile.get(state.target.desired.uid)?.services,
  diverging: model.services.map((s) => s.name),
  doubtful: [...state.stuck.keys()],
  inSteps: false,
  stopped: stoppedIn(deps, state),
  unproven: [...unprovenIn(state, overrides), ...state.stuck.keys()],
  nowMs: deps.clock.now(),
})

/** True where a deploy is asked for, by the annotation or by onChange: Deploy. */
const isDeployAsked = (deps: PassDeps, { target, pendingEdits }: StackState): boolean => {
  const { uid, redeploy, compose } = target.desired
  const deployed = deps.stateFile.get(uid)
  const isNew = deployed !== undefined && deployed.redeploy !== redeploy
  return isNew || (compose.onChange === 'Deploy' && pendingEdits.length > 0)
}

/** Newer versions of Compose make an edited network anew in any `up`; 2.26 does not. */
const mayChangeNetworks = ({ version }: PassDeps['compose']): boolean =>
  isAtLeast(version, '2.30.0')

/** Services that Compose may have a newer image for, without jobs that are done. */
const refreshedBy = ({ services }: ComposeModel, { containers }: StackState): string[] =>
  services
    .filter((s) => s.refreshes && !containers.some((c) => c.service === s.name && isCompleted(c)))
    .map((s) => s.name)

type Planned = Pick<StackAction, 'plan' | 'full' | 'stepsAfter' | 'keptNetworks'> & {
  readonly asked: boolean
  /** What Compose said of edits. */
  readonly edits: StackChange
}

/** True where the files have changed since the last full deploy. */
const isEdited = (deps: PassDeps, { target }: StackState, { signature }: ComposeModel): boolean =>
  deps.stateFile.get(target.desired.uid)?.signature !== signature

const noSteps: StackAction['stepsAfter'] = () => Promise.resolve([])

export const planFor = async (
  deps: PassDeps,
  state: StackState,
  overridden: Pick<StackAction, 'model' | 'overrides'>,
): Promise<Planned> => {
  const { model } = overridden
  const asked = isDeployAsked(deps, state)
  const input = planInput(deps, state, overridden)
  const first = planAction({ ...input, edited: undefined })
  const full = asked || first.steps.some((s) => s.services.length === 0)
  if (first.steps.length === 0 && !asked)
    return { plan: first, full, asked, edits: {}, keptNetworks: [], stepsAfter: noSteps }
  const isThere = state.containers.length > 0
  const mayPass = isThere && mayChangeNetworks(deps.compose) && isEdited(deps, state, model)
  const needsOther = (s: ActionStep): boolean => s.noDeps && needsOthers(s.services, model)
  const needsEdits = asked || mayPass || first.steps.some(needsOther)
  const edits = needsEdits ? await lookAtEdits(deps, state, overridden, first.affected) : {}
  const diverging = divergingNow({ ...state, ...edits })
  const imageless = await findImageless(deps, model, model.services)
  const now: PlanInput = {
    ...input,
    diverging: diverging === undefined ? input.diverging : [...diverging.services, ...imageless],
    doubtful: [...input.doubtful, ...imageless],
    edited: asked ? [...(diverging?.edited ?? []), ...refreshedBy(model, state)] : undefined,
  }
  const stepsAfter: StackAction['stepsAfter'] = async (stuck) => {
    const containers = await observeProject(deps.engine, model.projectName)
    const edited = now.edited ?? []
    const rest = planAction({ ...now, containers, edited, inSteps: true })
    return withoutServices(rest, [...stuck.keys()]).steps
  }
  const networks = diverging?.networks ?? noNetworkEdits
  const plan = asked ? withNetworks(planAction(now), networks, now) : planAction(now)
  const keptNetworks = model.networks.filter(({ name }) => networks.names.includes(name))
  return { plan, full, asked, edits, stepsAfter, keptNetworks }
}

const needsOthers = (names: readonly string[], { services }: ComposeModel): boolean =>
  services.some((s) => names.includes(s.name) && s.dependsOn.length > 0)
