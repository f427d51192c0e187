// What needs somebody: the one rule of `stagely status`, of REST and of the dashboard. Pure.
import { defined } from '../kernel/defined.ts'
import { conditionTypes, isBadCondition } from '../kinds/condition-types.ts'
import { currentCondition, statusConditions, type Condition } from '../resources/conditions.ts'
import type { KubeObject } from '../resources/meta.ts'
import { projectNameOf } from '../resources/project-ref.ts'
import { statusOf } from '../kinds/typed.ts'
import { rollingReasons } from '../rollout/wait-outcome.ts'

/** Kinds of which an object may need somebody. */
export const attentionKinds: readonly string[] = [...Object.keys(conditionTypes), 'AccessRequest']

export interface Attention {
  /** Of a team: its own name. */
  readonly namespace: string
  readonly kind: string
  readonly name: string
  readonly project?: string
  readonly condition: string
  readonly status: string
  readonly reason: string
  readonly message: string
  /** RFC 3339; absent for a setting. */
  readonly since?: string
  /** It goes on by itself. */
  readonly passes?: true
}

type Cause = Pick<Attention, 'condition' | 'status' | 'reason' | 'message' | 'since' | 'passes'>

/** Conditions that follow from other conditions, or from the agent's own; shown only on their own. */
const followOthers = new Set(['AgentReachable', 'SecretsInSync', 'InSync', 'Ready'])

/** Of several conditions with the same cause the most specific one. */
const causesOf = (bad: readonly Condition[]): Condition[] => {
  const own = bad.filter((c) => !followOthers.has(c.type))
  const away = bad.find((c) => c.reason === 'AgentAway' || c.reason === 'AgentMissing')
  const rest = bad.filter((c) => followOthers.has(c.type))
  const first = away ?? rest.find((c) => c.type !== 'Ready') ?? rest[0]
  const isTold = first === undefined || own.some((c) => first.message.startsWith(c.message))
  return isTold ? own : [...own, first]
}

const passesByItself = (object: KubeObject, { type, status, reason }: Condition): boolean => {
  if (!followOthers.has(type)) return false
  if (reason === 'NotJudged') return true
  const isProgressing = currentCondition(object, 'Progressing')?.status === 'True'
  return status === 'False' && (isProgressing || rollingReasons.has(reason))
}

/** Settings that a person has made and may have forgotten. */
const onPurpose = ({ kind, metadata, spec }: KubeObject): Cause[] => {
  const { name } = metadata
  const isSet = (field: string): boolean => spec?.[field] === true
  const rollout = spec?.['rollout'] as { paused?: boolean } | undefined
  const set = (condition: string, message: string): Cause => ({
    condition,
    status: 'True',
    reason: condition,
    message,
  })
  return [
    ...(kind === 'Agent' && isSet('drained')
      ? [set('Drained', `nothing new is rolled out there: stagely agent undrain ${name}`)]
      : []),
    ...(rollout?.paused === true
      ? [set('Paused', `no further stagelet gets a new revision: stagely rollout resume ${name}`)]
      : []),
    ...(isSet('paused') ? [set('Paused', 'spec.paused is true: nothing is changed there')] : []),
  ]
}

const ofRequest = (request: KubeObject): Cause[] => {
  const { state, requester } = statusOf('AccessRequest', request)
  if (state !== 'Pending') return []
  const { name, creationTimestamp } = request.metadata
  const message = `${requester?.name ?? 'somebody'} asks to read values: stagely access show ${name}`
  const waiting = { condition: 'Waiting', status: 'True', reason: state, message }
  return [{ ...waiting, ...defined({ since: creationTimestamp }) }]
}

const ofConditions = (object: KubeObject): Cause[] =>
  causesOf(
    statusConditions(object).filter((condition) => isBadCondition(object.kind, condition)),
  ).map((condition) => ({
    condition: condition.type,
    status: condition.status,
    reason: condition.reason,
    message: condition.message,
    ...defined({ since: condition.lastTransitionTime }),
    ...(passesByItself(object, condition) && { passes: true as const }),
  }))

const placeOf = ({ namespace, project = '' }: Pick<Attention, 'namespace' | 'project'>): string =>
  `${namespace}/${project}`

/** What one object says, for whoever keeps it: an object never changes. */
export interface Judged {
  /** For each cause one. */
  readonly rows: readonly Attention[]
  /** The project whose secrets are not seen to run in this stagelet. */
  readonly behindIn?: string
}

export const judge = (object: KubeObject): Judged => {
  const { kind, metadata } = object
  const about = {
    namespace: metadata.namespace ?? (kind === 'Namespace' ? metadata.name : ''),
    kind,
    name: metadata.name,
    ...defined({ project: projectNameOf(object) }),
  }
  const causes =
    kind === 'AccessRequest' ? ofRequest(object) : [...ofConditions(object), ...onPurpose(object)]
  const rows = causes.map((cause) => ({ ...about, ...cause }))
  const isBehind =
    kind === 'Stagelet' && currentCondition(object, 'SecretsInSync')?.status !== 'True'
  return isBehind ? { rows, behindIn: placeOf(about) } : { rows }
}

const followsStagelet = ({ condition, reason }: Attention): boolean =>
  condition === 'InSync' &&
  (rollingReasons.has(reason) || /^(AgentAway|EngineUnavailable)$/.test(reason))

/** Of all objects, without what a stagelet among them says as well. */
export const attentionIn = (all: readonly Judged[]): Attention[] => {
  const behind = new Set(all.map(({ behindIn }) => behindIn))
  return all
    .flatMap(({ rows }) => rows)
    .filter((row) => !(followsStagelet(row) && behind.has(placeOf(row))))
}
