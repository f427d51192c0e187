// The activity log, which is kept for people (migrations/0065-baseline.sql). It never holds a value.
import type { Drift, ManualRun } from '../../kinds/observation/schema.ts'
import type { RolloutStatus } from '../../kinds/stagelet/schema.ts'
import type { RevisionInfo } from './history.ts'

export interface RolledService {
  readonly name: string
  readonly what: 'recreated' | 'cascaded' | 'restarted' | 'untouched'
  /** Start of its newest container. */
  readonly since?: string
  readonly healthyAt?: string
}

/** The keys, and the authors of their values, that a failure may come from. */
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
  /** It healed drift that nobody was told of. */
  readonly untold?: true
  readonly toldAt?: string
  readonly startedAt?: string
  readonly finishedAt?: string
  /** Absent where only the end of the rollout was reported. */
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
  /** When an agent that is back was lost. */
  readonly since?: string
}

/** An action that a person requested. */
export interface ControlRecord {
  readonly what:
    'paused' | 'resumed' | 'drained' | 'undrained' | 'deployed' | 'retried' | 'extended'
  readonly by: readonly string[]
}

/** A container with secrets. Times are those of the controller. */
export interface ContainerRecord {
  readonly service: string
  readonly digest: string
  /** Absent where nobody saw that. */
  readonly made?: string
  /** Absent while there, or where nobody saw the end. */
  readonly removed?: string
  /** So many more came or went at that time than are kept of one machine. Service and digest are empty then. */
  readonly uncounted?: number
}

interface Details {
  readonly revision: Omit<RevisionInfo, 'closedAt'>
  readonly rollout: RolloutRecord
  readonly drift: DriftRecord
  readonly agent: AgentRecord
  readonly control: ControlRecord
  readonly container: ContainerRecord
}
type ActivityKind = keyof Details
/** Those for people. */
export const activityKinds = ['revision', 'rollout', 'drift', 'agent', 'control'] as const

/** What an entry is about. */
interface Subject {
  readonly namespace: string
  readonly project?: string | undefined
  readonly stagelet?: string | undefined
  readonly agent?: string | undefined
}

type Kept<Kind extends ActivityKind> = Kind extends ActivityKind
  ? Subject & { readonly kind: Kind; readonly detail: Details[Kind]; /** ms */ readonly at: number }
  : never

type RowOf<Kind extends ActivityKind> = {
  readonly id: number
  readonly subject: string
} & Kept<Kind>

/** A row of the activity log for people. */
export type Activity = RowOf<(typeof activityKinds)[number]>
/** `mark`: `container`, and its id. */
export type ContainerActivity = RowOf<'container'> & { readonly mark: string }

/** An entry of the activity log, as the write that causes it records it. */
export type ActivityEntry = Kept<Exclude<ActivityKind, 'revision'>> & {
  /** Uid of the object. */
  readonly subject: string
  /** Identifies the entry among those of the object: later details with the same mark are merged into it. */
  readonly mark: string
  /** Project of a rollout of a new revision, whose authors caused it. */
  readonly projectUid?: string | undefined
}

export const activityId = ({ subject, mark }: Pick<ActivityEntry, 'subject' | 'mark'>): string =>
  `${subject} ${mark}`
