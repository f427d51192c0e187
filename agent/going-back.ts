// Going back to what was healthy, where what was given to a service broke it.
import type { ActionDeps } from './action.ts'
import { digestIn, findCulprits, withQuarantined } from './quarantine.ts'
import type { StackState } from './stack-state.ts'
import { saveQuarantine } from './state-file.ts'
import { leansOnIn } from './steps.ts'

/** Services whose new values a failed gate is put down to, where there is something healthy to go back to. */
export const culpritsOf = ({
  want,
  healthy,
  gateFailure,
  model,
  wellBefore,
}: StackState): string[] => {
  if (gateFailure === undefined || healthy === undefined) return []
  const { service } = gateFailure
  // What was broken before, by itself or by an edit of the user's, says nothing of what others were given.
  const leansOn = wellBefore.includes(service) ? leansOnIn(model?.services ?? [], service) : []
  return findCulprits(want, healthy, service, leansOn)
}

/** Quarantines what failed, where there is something healthy to go back to; the next pass runs that. */
export const goBack = async (
  deps: Pick<ActionDeps, 'stateFile' | 'log'>,
  state: StackState,
): Promise<boolean> => {
  const { want, healthy, gateFailure } = state
  const culprits = culpritsOf(state)
  if (gateFailure === undefined || healthy === undefined || culprits.length === 0) return false
  const { uid, revision, retry } = want.desired
  const message = gateFailure.message.slice(0, 8192)
  for (const culprit of culprits) {
    const added = { service: culprit, digest: digestIn(want, culprit), revision, retry, message }
    state.quarantine = withQuarantined(state.quarantine, added)
  }
  // Its own gate may have been passed.
  state.passed = Object.fromEntries(
    Object.entries(state.passed).filter(([name]) => !culprits.includes(name)),
  )
  await saveQuarantine(deps.stateFile, uid, state.quarantine)
  const { service } = gateFailure
  const to = healthy.desired.revision
  deps.log.warn({ service, culprits, failed: revision, to }, 'going back')
  return true
}
