// Goes back to the healthy revision, where new values broke a service.
import type { Quarantined } from '../src/resources/observation.ts'
import { digestFor, mergeQuarantine, servicesToBlame } from '../src/rollout/quarantine.ts'
import type { ActionDeps } from './action.ts'
import { forgetPasses, type StackState } from './stack-state.ts'
import { saveQuarantine } from './state-file.ts'
import { neededServices } from './steps.ts'

/** Services whose new values are to blame for a failed gate; none where there is nothing healthy to go back to. */
export const blamedServices = ({
  want,
  healthy,
  gateFailure,
  model,
  healthyBefore,
}: StackState): string[] => {
  if (gateFailure === undefined) return []
  const { service } = gateFailure
  // Where the service was not healthy before, or the user has edited it, values of other services are not to blame.
  const dependencies = healthyBefore.includes(service)
    ? neededServices(model?.services ?? [], service)
    : []
  const sets = { failed: want.entries, healthy: healthy?.entries }
  return servicesToBlame(want.desired.name, { service, dependencies }, sets)
}

/** Puts what failed in quarantine, so that the next pass runs the healthy revision. False where there is none, or no value is to blame. */
export const goBack = async (
  deps: Pick<ActionDeps, 'stateFile' | 'log'>,
  state: StackState,
): Promise<boolean> => {
  const { want, healthy, gateFailure } = state
  const blamed = blamedServices(state)
  if (gateFailure === undefined || healthy === undefined || blamed.length === 0) return false
  const { uid, name, revision, retry } = want.desired
  const message = gateFailure.message.slice(0, 8192)
  const failed = blamed.map((service) => {
    const digest = digestFor(name, service, want.entries)
    return { service, digest, revision, retry, message }
  })
  state.quarantine = mergeQuarantine([...state.quarantine, ...failed])
  // A service that is to blame may have passed its own gate.
  forgetPasses(state, blamed)
  await saveQuarantine(deps.stateFile, uid, state.quarantine)
  const to = healthy.desired.revision
  deps.log.warn({ service: gateFailure.service, blamed, failed: revision, to }, 'going back')
  return true
}

/**
 * The failure that running `want` is the way back from, as far as this agent has seen the failure. The controller may
 * have answered with that older revision by now: then `want` is what the controller said, and still the way back.
 */
export const wayBackFrom = ({
  want,
  rollout,
  quarantine,
  goingBackFrom,
}: StackState): Quarantined | undefined => {
  if (rollout?.result !== 'Failed' && rollout?.result !== 'Progressing') return undefined
  const { revision } = want.desired
  const failed =
    rollout.revision > revision && rollout.result === 'Failed'
      ? rollout.revision
      : rollout.revision === revision
        ? goingBackFrom?.revision
        : undefined
  return quarantine.findLast((q) => q.revision === failed && q.revision > revision)
}
