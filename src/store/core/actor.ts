// Actors of writes, and agents that get values.

import { everywhere, type NarrowingIn } from '../../access/place.ts'

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

/** What a login may do where the store decides: one answer to each question, none left out. */
export interface Rights {
  /**
   * True where the actor may read the values of the namespace. Otherwise no answer tells whether a value that the actor
   * did not give has its format.
   */
  readonly mayReadValues: (namespace: string) => boolean
  /** True where the actor may read logs: messages of failures end with some lines. */
  readonly mayReadLogs: (namespace: string) => boolean
  /** Below a team, the actor reads and writes only here; undefined: everywhere. */
  readonly narrowingIn: NarrowingIn
  /** True where the actor may write, reveal, deploy and delete in a protected environment. */
  readonly mayChangeProtected: (namespace: string, environment: string) => boolean
}

/** `whole`: the controller by itself, or somebody whom it has let do this one thing. */
type Authority = 'whole' | Rights

/** The person or machine that acts, for audit and ownership. */
export interface Actor {
  readonly name: string
  /** `api`, `folder:<path>` or `kubernetes`; machines use `system`. */
  readonly source: string
  readonly authority: Authority
  /** Id of the user, or of the machine's token; absent for the controller itself. */
  readonly id?: string
  /** Whose budgets the actor spends. Absent: its own. */
  readonly countedAs?: string
  /** Of a person or a machine that asks by the API. */
  readonly kind?: 'user' | 'machine'
  /** Where the request came from: an IP address. */
  readonly address?: string
  /** Ties an audit row to its request, its answer and its log line. */
  readonly requestId?: string
  /** The template of a project chooses machine and folder of what is written, and not the actor. */
  readonly followsTemplate?: boolean
  /** True once nobody waits for the answer. A write that has not begun is then left out: the client may have written a newer value. */
  readonly hasGone?: () => boolean
}

export const wholeRights: Rights = {
  mayReadValues: () => true,
  mayReadLogs: () => true,
  narrowingIn: everywhere,
  mayChangeProtected: () => true,
}

/** Of nobody who is known. */
export const noRights: Rights = {
  mayReadValues: () => false,
  mayReadLogs: () => false,
  narrowingIn: () => ({ projects: [] }),
  mayChangeProtected: () => false,
}

export const rightsOf = ({ authority }: Pick<Actor, 'authority'>): Rights =>
  authority === 'whole' ? wholeRights : authority

/** Whose budgets the actor spends; undefined for the controller itself. */
export const payerOf = ({ countedAs, id }: Pick<Actor, 'countedAs' | 'id'>): string | undefined =>
  countedAs ?? id

/** Source of machines. Objects that machines have made have no owner. */
export const systemSource = 'system'

/** Actor of writes that the controller makes by itself. */
export const controllerActor: Actor = {
  name: 'controller',
  source: systemSource,
  authority: 'whole',
}

/** The prefix of the names of an actor's change sets. */
export const ownPrefix = ({ id, source }: Pick<Actor, 'id' | 'source'>): string =>
  `${id ?? source} `
