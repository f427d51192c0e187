// Who acts on the store, and to whom values go.

/** What ties an audit row to the request that it was done in. */
export type Origin = Pick<Actor, 'address' | 'requestId'>

/** To whom values go; `from` is the request by which the agent gets them. */
export interface Delivery {
  readonly stagelet: string
  /** `namespace/name` */
  readonly agent: string
  /** Fingerprint of the keys that the set is sealed to. */
  readonly keys?: string
  readonly from?: Origin
}

/** Who acts, for audit and ownership. */
export interface Actor {
  readonly name: string
  /** `api`, `folder:<path>` or `kubernetes`; machines use `system`. */
  readonly source: string
  /** Id of the user, or of the machine's token; absent for the controller itself. */
  readonly id?: string
  /** Where the request came from: an IP address. */
  readonly address?: string
  /** Ties an audit row to its request, its answer and its log line. */
  readonly requestId?: string
  /**
   * Whether the values of a namespace are theirs to read: else no write of theirs tells whether one that
   * they did not give has its format. Absent: they are, as to the controller itself.
   */
  readonly mayReadValues?: (namespace: string) => boolean
}
