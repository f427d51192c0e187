// Going back to what was healthy, where what was given to a service broke it.
import { digestFor, mergeQuarantine, servicesToBlame } from '../src/rollout/quarantine.ts'
import type { ActionDeps } from './action.ts'
import { forgetPasses, type StackState } from './stack-state.ts'
import { saveQuarantine } from './state-file.ts'
import { neededServices } from './steps.ts'

/** Services whose new values a failed gate is put down to, where there is something healthy to go back to. */
export const blamedServices = ({
  want,
  healthy,
  gateFailure,
  model,
  healthyBefore,
}: StackState): string[] => {
  if (gateFailure === undefined) return []
  const { service } = gateFailure
  // What was broken before, by itself or by an edit of the user's, says nothing of what others were given.
  const dependencies = healthyBefore.includes(service)
    ? neededServices(model?.services ?? [], service)
    : []
  const sets = { failed: want.entries, healthy: healthy?.entries }
  return servicesToBlame(want.desired.name, { service, dependencies }, sets)
}

/** Quarantines what failed, where there is something healthy to go back to; the next pass runs that. */
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
  // Its own gate may have been passed.
  forgetPasses(state, blamed)
  await saveQuarantine(deps.stateFile, uid, state.quarantine)
  const to = healthy.desired.revision
  deps.log.warn({ service: gateFailure.service, blamed, failed: revision, to }, 'going back')
  return true
}
