// The contract of a client of an external store. A provider looks and fetches; it decides nothing and
// keeps no value. When to ask, what to keep and what to write is decided by the machine of stores.

/** One secret of the store, by the store's own name. Answers are keyed by the very objects that were asked. */
export interface Ref {
  readonly key: string
  /** Version or label in the store's words; the newest when absent. */
  readonly version?: string | undefined
}

/**
 * Why this ref alone has no version and no value. Each is a definite answer of the store, not a fault of
 * the call. `why` says in words for people what else is wrong with the ref; it holds no value.
 */
export type Absence =
  | { readonly absent: 'missing' | 'forbidden' }
  | { readonly absent: 'refused'; readonly why: string }

export interface Found {
  /** Opaque; it changes when the value may have changed. */
  readonly version: string
  /** When the store itself ends this version, as toTimestamp writes it; absent: the store tells of no end. */
  readonly expiresAt?: string
}

export interface VersionsRead {
  /** Of every ref but those that the store was not asked for this time: of them nothing new is known. */
  readonly versions: ReadonlyMap<Ref, Found | Absence>
  /** What the next look wants back; it holds no value. undefined: nothing. */
  readonly cursor?: string | undefined
  /** How old the answer may be, in milliseconds, by the word of the store; 0: it is of now. */
  readonly lagMs: number
}

/** The version is the one that `look` would say. */
export interface Fetched extends Found {
  /** The whole secret: properties are cut from it by the machine. */
  readonly value: Buffer
}

export interface ProviderLimits {
  /** How many refs one call of `fetch` may have. */
  readonly batch: number
  /** How many calls the store takes in a minute, by its documents. The spec's own limit may be lower. */
  readonly perMinute: number
  /** How many calls the provider makes at the same time. */
  readonly parallel: number
}

export interface KeyListing {
  /** Keys that begin with the prefix, sorted. */
  readonly keys: readonly string[]
  /** True: there are more than could be listed. */
  readonly isCut: boolean
}

/**
 * All methods reject with StoreFault alone, and with the signal's reason when it aborts. Anything else is
 * a bug. No fault repeats a value or a credential.
 */
export interface StoreProvider {
  readonly limits: ProviderLimits
  /** Whom the store takes the credential for. Asked once for each credential. */
  whoAmI(signal: AbortSignal): Promise<string>
  /** Which version each ref has now; reads no value where the store allows that. `cursor`: of the look before. */
  readVersions(
    refs: readonly Ref[],
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<VersionsRead>
  /** Values of at most `limits.batch` refs that `look` called new. Has every ref that was asked. */
  fetch(refs: readonly Ref[], signal: AbortSignal): Promise<ReadonlyMap<Ref, Fetched | Absence>>
  /** Names for an import; no value. */
  list(prefix: string, signal: AbortSignal): Promise<KeyListing>
  /** Notifications that the store puts into a queue, where the spec names one. */
  readonly notifications?: NotificationQueue
  /** Ends what is open, and gives up tokens that were borrowed. */
  close(): Promise<void>
}

/** What was received at once. */
export interface QueueNotifications {
  /** Secrets that have changed, by all names that they go by. */
  readonly keys: readonly string[]
  /** By what the messages are taken out of the queue. */
  readonly receipts: readonly string[]
  /** Messages that are no notifications. */
  readonly foreignMessages: number
}

/** Methods reject with QueueFault alone, and with the signal's reason when it aborts. */
export interface NotificationQueue {
  /** Waits some seconds for notifications; those that are there come together. */
  receive(signal: AbortSignal): Promise<QueueNotifications>
  /** Takes the messages out of the queue. */
  discard(notifications: QueueNotifications, signal: AbortSignal): Promise<void>
}

/** How many names a listing has at most. */
export const mostListed = 10_000

export type StoreFaultKind = 'Throttled' | 'Unauthorized' | 'Unavailable' | 'Malformed'

/** Why no notifications come. The store itself may be well. */
export class QueueFault extends Error {
  override readonly name = 'QueueFault'
  readonly reason: 'QueueMissing' | 'QueueForbidden' | StoreFaultKind

  constructor(reason: QueueFault['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/**
 * The closed class of faults of a store as a whole.
 * Throttled: it asks to be left alone. Unauthorized: it does not take the credential, or the credential
 * is none; asking again changes nothing. Unavailable: no whole answer came, also because the gate does not
 * call the address. Malformed: the answer is not what the store's interface promises.
 */
export class StoreFault extends Error {
  override readonly name = 'StoreFault'
  readonly kind: StoreFaultKind
  /** Of Throttled alone: what the store asked for, in milliseconds; undefined: it named no time. */
  readonly retryAfterMs: number | undefined

  /** Takes no cause: errors of clients may hold what was sent. */
  constructor(kind: StoreFaultKind, message: string, retryAfterMs?: number) {
    super(message)
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }
}
