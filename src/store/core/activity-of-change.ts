// Entries of the activity log that follow from a change of an object's spec, or of an agent's presence: pure. The reconciler
// of stagelets records rollouts and drift.
import { defined } from '../../kernel/defined.ts'
import { findCondition } from '../../resources/conditions.ts'
import { annotations, type KubeObject } from '../../resources/meta.ts'
import { statusOf } from '../../kinds/typed.ts'
import { projectNameOf } from '../../resources/project-ref.ts'
import type { AgentRecord, ControlRecord, ActivityEntry } from './activity-entry.ts'

interface ChangedObject {
  readonly before: KubeObject | undefined
  readonly after: KubeObject
  /** Name of the actor. */
  readonly by: string
  /** ms */
  readonly at: number
}

const flagIn = (object: KubeObject | undefined, path: readonly string[]): boolean => {
  let found: unknown = object?.spec
  for (const name of path) found = (found as Record<string, unknown> | undefined)?.[name]
  return found === true
}

type Words = readonly [ControlRecord['what'], ControlRecord['what']]
const pause: Words = ['paused', 'resumed']
const flags: Readonly<Record<string, readonly (readonly [readonly string[], Words])[]>> = {
  Stagelet: [[['paused'], pause]],
  Agent: [
    [['paused'], pause],
    [['drained'], ['drained', 'undrained']],
  ],
  Project: [[['rollout', 'paused'], pause]],
}
const requests = [
  [annotations.redeploy, 'deployed'],
  [annotations.retry, 'retried'],
  [annotations.extend, 'extended'],
] as const

const requestedActions = ({ before, after }: ChangedObject): ControlRecord['what'][] => {
  const flipped = (flags[after.kind] ?? []).flatMap(([path, [on, off]]) => {
    const isSet = flagIn(after, path)
    return flagIn(before, path) === isSet ? [] : [isSet ? on : off]
  })
  if (after.kind !== 'Stagelet' || before === undefined) return flipped
  const asked = requests.flatMap(([name, what]) => {
    const value = after.metadata.annotations?.[name]
    return value === undefined || value === before.metadata.annotations?.[name] ? [] : [what]
  })
  return [...flipped, ...asked]
}

const presenceOf = ({ before, after }: ChangedObject): AgentRecord | undefined => {
  const old = before && statusOf('Agent', before)
  const last = findCondition(old?.conditions, 'Ready')
  const ready = findCondition(statusOf('Agent', after).conditions, 'Ready')
  if (ready === undefined) return undefined
  if (ready.status === last?.status && ready.reason === last.reason) return undefined
  if (ready.reason === 'Joined') return { what: 'joined' }
  if (ready.reason === 'Revoked') return { what: 'revoked' }
  if (ready.status !== 'True') return last?.status === 'True' ? { what: 'away' } : undefined
  if (last?.reason !== 'Disconnected') return undefined // the agent has just joined
  return { what: 'back', ...defined({ since: old?.lastLost }) }
}

const placeOf = (object: KubeObject) => {
  const { kind, metadata } = object
  const { name, namespace = '' } = metadata
  if (kind === 'Project') return { namespace, project: name }
  if (kind === 'Agent') return { namespace, agent: name }
  return { namespace, stagelet: name, project: projectNameOf(object) }
}

/** The agent was lost a moment before the controller noted it. */
const momentOf = ({ after, at: changedAt }: ChangedObject, { what }: AgentRecord): number => {
  const lost = Date.parse(statusOf('Agent', after).lastLost ?? '')
  return what === 'away' && !Number.isNaN(lost) ? lost : changedAt
}

export const activityOf = (change: ChangedObject): ActivityEntry[] => {
  const { after, by, at: changedAt } = change
  if (!(after.kind in flags)) return []
  const subject = after.metadata.uid ?? ''
  const place = placeOf(after)
  const entries: ActivityEntry[] = requestedActions(change).map((what) => ({
    ...place,
    subject,
    mark: `${what} ${changedAt}`,
    at: changedAt,
    kind: 'control',
    detail: { what, by: [by] },
  }))
  const presence = after.kind === 'Agent' ? presenceOf(change) : undefined
  if (presence === undefined) return entries
  const moment = momentOf(change, presence)
  const mark = `${presence.what} ${moment}`
  return [...entries, { ...place, subject, mark, at: moment, kind: 'agent', detail: presence }]
}
