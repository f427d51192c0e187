// The events of a stagelet: one for each change of state. A lost agent makes one event of the Agent, and none of its
// stagelets.
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import type { RolloutStatus, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { EventInput } from '../../../src/store/store.ts'
import type { TypedStagelet } from './facts.ts'
import { isUntoldHealing } from './drift.ts'
import { endingEvent } from './ending.ts'
import { lastKnown } from './unseen.ts'

export const stageletEventsOf = (stagelet: TypedStagelet, next: StageletStatus): EventInput[] => {
  const before = stagelet.status
  const events: EventInput[] = []
  const add = (type: EventInput['type'], reason: string, message: string): void => {
    events.push({ regarding: stagelet, type, reason, message })
  }
  const became = (type: string, status: 'True' | 'False'): string | undefined => {
    const old = lastKnown(before, type)
    const now = findCondition(next.conditions, type)
    const changed = old?.status !== now?.status || old?.reason !== now?.reason
    return changed && now?.status === status ? now.message : undefined
  }

  const rollout = rolloutEvent(
    before?.lastRollout,
    next.lastRollout,
    findCondition(next.conditions, 'Degraded'),
  )
  if (rollout !== undefined) add(...rollout)
  const found = became('Drifted', 'True')
  if (found !== undefined) add('Warning', 'DriftFound', found)
  const untold = untoldHealing(before?.lastRollout, next)
  if (untold !== undefined) add('Normal', 'DriftHealed', untold)
  const healed = news('Healed', before, next)
  if (healed !== undefined) add('Normal', 'DriftHealed', healed)
  const hand = news('ByHand', before, next)
  if (hand !== undefined) add('Normal', 'ComposedByHand', hand)
  const fault = became('Degraded', 'True')
  const reason = findCondition(next.conditions, 'Degraded')?.reason ?? 'Degraded'
  // A rollback has its own event.
  if (fault !== undefined && reason !== 'RolledBack' && next.lastRollout?.message !== fault) {
    add('Warning', reason, fault)
  }
  const edited = became('ComposeFileChanged', 'True')
  if (edited !== undefined) add('Normal', 'ComposeFileChanged', edited)
  const unset = became('VariableMissing', 'True')
  if (unset !== undefined) add('Warning', 'VariableMissing', unset)
  const unmounted = became('FileNotMounted', 'True')
  if (unmounted !== undefined) add('Warning', 'FileNotMounted', unmounted)
  const ending = endingEvent(before, next)
  if (ending !== undefined) add('Normal', ending.reason, ending.message)
  const cut = became('ReportCut', 'True')
  if (cut !== undefined) add('Warning', 'ReportCut', cut)
  return events
}

/** The message of `Drifted` with this reason, when it is new. Healing may be faster than the report of the drift. */
const news = (
  reason: 'Healed' | 'ByHand',
  before: StageletStatus | undefined,
  next: StageletStatus,
): string | undefined => {
  const old = lastKnown(before, 'Drifted')
  const now = findCondition(next.conditions, 'Drifted')
  if (now?.reason !== reason) return undefined
  return old?.reason === reason && old.message === now.message ? undefined : now.message
}

/** Services that were re-created only because others were are listed apart. */
const recreatedIn = ({ recreated = [], cascaded = [] }: RolloutStatus): string => {
  const others = new Set(cascaded)
  const own = recreated.filter((name) => !others.has(name))
  return [
    ...(own.length === 0 ? [] : [`; re-created: ${own.join(', ')}`]),
    ...(cascaded.length === 0 ? [] : [`; along with these: ${cascaded.join(', ')}`]),
  ].join('')
}

const untoldHealing = (
  before: RolloutStatus | undefined,
  { lastRollout: next, conditions }: StageletStatus,
): string | undefined => {
  if (next === undefined || !isUntoldHealing(next, conditions)) return undefined
  if (next.result === before?.result && next.startedAt === before.startedAt) return undefined
  return `changed while its agent was not running${recreatedIn(next)}`
}

const rolloutEvent = (
  before: RolloutStatus | undefined,
  next: RolloutStatus | undefined,
  degraded: Condition | undefined,
): [EventInput['type'], string, string] | undefined => {
  if (next === undefined) return undefined
  if (next.result === before?.result && next.startedAt === before.startedAt) return undefined
  // Healing has its own events.
  if (next.cause === 'Drift' && next.result !== 'Failed') return undefined
  // A project has no revision before its first secret.
  const what = next.revision === 0 ? 'the stack without secrets' : `revision ${next.revision}`
  switch (next.result) {
    case 'Progressing':
      return ['Normal', 'RolloutStarted', `rolling out ${what}`]
    case 'Healthy':
      return ['Normal', 'RolloutHealthy', `${what} is healthy${recreatedIn(next)}`]
    case 'RolledBack':
      return [
        'Warning',
        'RolledBack',
        degraded?.reason === 'RolledBack'
          ? degraded.message
          : `back to revision ${next.revision}, which is healthy: ${next.message ?? ''}`,
      ]
    case 'Failed':
      return ['Warning', 'RolloutFailed', next.message ?? `${what} failed`]
  }
}
