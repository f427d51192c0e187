// What happened, as it is kept for people: see migrations/0045-activity.sql. Never a value.
import type { Drift, ManualRun } from '../../resources/observation.ts'
import type { RolloutStatus } from '../../resources/stagelet.ts'
import type { RevisionInfo } from '../history/shown.ts'

export interface RolledService {
  readonly name: string
  readonly what: 'recreated' | 'cascaded' | 'restarted' | 'untouched'
  /** Start of its newest container. */
  readonly since?: string
  readonly healthyAt?: string
}

/** Whose values a failure is put down to. */
export interface Blame {
  readonly service: string
  readonly keys: readonly string[]
  readonly authors: readonly string[]
}

/** Superseded: another rollout began before this one had ended. */
export type RolloutResult = RolloutStatus['result'] | 'Superseded'

/** Times are those of the controller: the skew of the agent's clock is taken off. */
export interface RolloutRecord {
  readonly revision: number
  readonly cause: NonNullable<RolloutStatus['cause']>
  readonly result: RolloutResult
  readonly by?: readonly string[]
  readonly toldAt?: string
  readonly startedAt?: string
  readonly finishedAt?: string
  /** Absent where only its end was told. */
  readonly services?: readonly RolledService[]
  readonly blame?: Blame
  readonly message?: string
  readonly closedAt?: string
  readonly heldBy?: string
  readonly times?: NonNullable<RolloutStatus['times']>
}

/** ByHand: a person ran Compose by the agent, and everything is as declared after that. */
export type DriftRecord =
  | ({ readonly state: Drift['state'] } & Pick<Drift, 'since' | 'changes'>)
  | ({ readonly state: 'ByHand' } & Omit<ManualRun, 'at'>)

export interface AgentRecord {
  readonly what: 'joined' | 'away' | 'back' | 'revoked'
  /** Of one that is back: when it was lost. */
  readonly since?: string
}

/** What a person told an object to do. */
export interface ControlRecord {
  readonly what: 'paused' | 'resumed' | 'drained' | 'undrained' | 'deployed' | 'retried'
  readonly by: readonly string[]
}

interface Details {
  readonly revision: Omit<RevisionInfo, 'closedAt'>
  readonly rollout: RolloutRecord
  readonly drift: DriftRecord
  readonly agent: AgentRecord
  readonly control: ControlRecord
}
type ActivityKind = keyof Details
export const activityKinds = ['revision', 'rollout', 'drift', 'agent', 'control'] as const

interface Place {
  readonly namespace: string
  readonly project?: string | undefined
  readonly stagelet?: string | undefined
  readonly agent?: string | undefined
}

type Kept<Kind extends ActivityKind> = Kind extends ActivityKind
  ? Place & { readonly kind: Kind; readonly detail: Details[Kind]; /** ms */ readonly at: number }
  : never

/** A row of the feed. */
export type Activity = { readonly id: number; readonly subject: string } & Kept<ActivityKind>

/** What a write says has happened to an object. */
export type Happening = Kept<Exclude<ActivityKind, 'revision'>> & {
  /** Uid of the object. */
  readonly subject: string
  /** Names one thing that happened to the object: what is said later of the same is merged into it. */
  readonly mark: string
  /** Of a rollout of a new revision: whose authors it is by. */
  readonly projectUid?: string | undefined
}

export const happeningId = ({ subject, mark }: Pick<Happening, 'subject' | 'mark'>): string =>
  `${subject} ${mark}`
