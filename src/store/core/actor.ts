// Actors of writes, and agents that get values.

import type { NarrowingIn } from '../../access/place.ts'

/** The request of an action, for its audit row. */
export type Origin = Pick<Actor, 'address' | 'requestId'>

/** A stagelet whose agent gets values. `from` is the request of the agent. */
export interface Delivery {
  readonly stagelet: string
  /** `namespace/name` */
  readonly agent: string
  /** Fingerprint of the keys that the set is sealed to. */
  readonly keys?: string
  readonly from?: Origin
}

/** The person or machine that acts, for audit and ownership. */
export interface Actor {
  readonly name: string
  /** `api`, `folder:<path>` or `kubernetes`; machines use `system`. */
  readonly source: string
  /** Id of the user, or of the machine's token; absent for the controller itself. */
  readonly id?: string
  /** Of a person or a machine that asks by the API. */
  readonly kind?: 'user' | 'machine'
  /** Where the request came from: an IP address. */
  readonly address?: string
  /** Ties an audit row to its request, its answer and its log line. */
  readonly requestId?: string
  /**
   * True where the actor may read the values of the namespace. Otherwise no answer tells whether a value that the actor
   * did not give has its format. Absent: the actor may read all values, as the controller.
   */
  readonly mayReadValues?: (namespace: string) => boolean
  /** True where the actor may read logs: messages of failures end with some lines. Absent: everywhere. */
  readonly mayReadLogs?: (namespace: string) => boolean
  /** The template of a project chooses machine and folder of what is written, and not the actor. */
  readonly followsTemplate?: boolean
  /** Below a team, the actor reads and writes only here; absent: everywhere. */
  readonly narrowingIn?: NarrowingIn
  /** True where the actor may write, reveal, deploy and delete in a protected environment. Absent: everywhere, as the controller. */
  readonly mayChangeProtected?: (namespace: string, environment: string) => boolean
  /** True once nobody waits for the answer. A write that has not begun is then left out: the client may have written a newer value. */
  readonly hasGone?: () => boolean
}

/** Source of machines. Objects that machines have made have no owner. */
export const systemSource = 'system'

/** Actor of writes that the controller makes by itself. */
export const controllerActor: Actor = { name: 'controller', source: systemSource }

/** The prefix of the names of an actor's change sets. */
export const ownPrefix = ({ id, source }: Pick<Actor, 'id' | 'source'>): string =>
  `${id ?? source} `
