// Goes back to what holds nothing that failed, where new values broke a service.
import type { Quarantined } from '../../src/kinds/observation/schema.ts'
import { digestFor, mergeQuarantine, attributeFailure } from '../../src/rollout/quarantine.ts'
import type { ActionDeps } from './action.ts'
import {
  isUnfinished,
  withoutPasses,
  type StackCell,
  type StackState,
} from '../state/stack-state.ts'
import { saveQuarantine } from '../state/state-file.ts'
import { neededServices } from '../compose/dependencies.ts'

/** Services whose new values are to blame for a failed gate; none where there is nothing healthy to go back to. */
export const attributedServices = ({
  target,
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
  const sets = { failed: target.entries, healthy: healthy?.entries }
  return attributeFailure(target.desired.name, { service, dependencies }, sets)
}

/** Puts what failed in quarantine, so that the next pass runs a revision without it. False where none was healthy, or no value is to blame. */
export const startRollback = async (
  deps: Pick<ActionDeps, 'stateFile' | 'log'>,
  cell: StackCell,
): Promise<boolean> => {
  const { target, healthy, gateFailure, quarantine: before, passed } = cell.state
  const attributed = attributedServices(cell.state)
  if (gateFailure === undefined || healthy === undefined || attributed.length === 0) return false
  const { uid, name, revision, retry } = target.desired
  const message = gateFailure.message.slice(0, 8192)
  const failed = attributed.map((service) => {
    const digest = digestFor(name, service, target.entries)
    return { service, digest, revision, retry, message }
  })
  const quarantine = mergeQuarantine([...before, ...failed])
  // A service that is to blame may have passed its own gate.
  cell.put({ quarantine, passed: withoutPasses(passed, attributed) })
  await saveQuarantine(deps.stateFile, uid, quarantine)
  deps.log.warn({ service: gateFailure.service, attributed, failed: revision }, 'going back')
  return true
}

/**
 * The failure that the last rollout is, or the next one will be, the way back from; undefined where it has ended, or
 * goes to what is newer. Meanwhile the controller may have named that older revision itself, or one with the same values.
 */
export const rollbackCauseOf = ({
  target,
  rollout,
  quarantine,
  rollbackCause,
}: StackState): Quarantined | undefined => {
  if (rollout === undefined || !isUnfinished(rollout)) return undefined
  const isOnItsWay = rollbackCause !== undefined && rollout.revision < rollbackCause.revision
  if (isOnItsWay) return rollbackCause
  const { revision } = target.desired
  return rollout.result === 'Failed' && rollout.revision > revision
    ? quarantine.find((q) => q.revision === rollout.revision)
    : undefined
}
