// What a rotator is: it can make, set, test and revoke one credential. The machine (ADR 0065) calls it,
// outside of any write, and decides alone what comes next.
import type { Clock } from '../../../src/kernel/clock.ts'
import type { RotationSpec } from '../../../src/kinds/rotation/schema.ts'
import type { Facts } from '../../../src/databases/step.ts'
import type { StagedCredential } from '../../../src/store/secrets/staged-values.ts'
import type { Egress } from '../../egress/gate.ts'
import type { AgentTask } from '../../../src/protocol/tasks.ts'

export type Credential = StagedCredential

export type Accepted = 'accepted' | 'refused'
type Tested = Accepted | 'meaningless'

export interface Use {
  /** undefined: it cannot be known, and nothing was asked. */
  readonly sessions: number | undefined
  /** Addresses. */
  readonly from: readonly string[]
  /** So long (ms) it was watched; absent for a moment, or where the rotator does not tell. */
  readonly watchedMs?: number | undefined
  /** Whether the login accepts anybody now; undefined: it is not known. */
  readonly canLogIn?: boolean | undefined
}

/** What is found outside where the outputs hold a credential that is refused, as after the restore of a backup. */
export interface FoundLogins {
  /** The slot that nobody logs in to. */
  readonly idle: string | undefined
  /** What services run with, as far as it can be named: without its password. It ends after the proof. */
  readonly running: Credential | undefined
}

/** Add: the new value is known beside the old one. Switch: it is used. Remove: only it is known. */
export type RolloutStep = 'Add' | 'Switch' | 'Remove'

export interface Rotator {
  /** Slots that take turns; empty: the rotator has none. */
  readonly slots: readonly string[]
  /** The login that services use until the first rotation; absent: none is taken over. */
  readonly adopt?: string | undefined
  /** Outputs that this rotator makes. */
  readonly outputs: readonly string[]
  /** New random values for `slot`; nothing outside is touched. */
  make(slot: string | undefined): Credential | Promise<Credential>
  /**
   * Of a rotator whose credentials are made outside, in place of `make`. One attempt has one credential: called
   * again it answers the same.
   */
  create?(attempt: string, signal: AbortSignal): Promise<Credential>
  /** Faults that forbid a start; looks only. `warn` is told what forbids nothing. */
  preflight(signal: AbortSignal, warn?: (message: string) => void): Promise<readonly string[]>
  /** Whether the credential is accepted now. */
  checkAccepted(candidate: Credential, signal: AbortSignal): Promise<Accepted>
  /** Idempotent. */
  set(candidate: Credential, attempt: string, signal: AbortSignal): Promise<void>
  /** `meaningless`: a random password is accepted too. */
  test(candidate: Credential, signal: AbortSignal): Promise<Tested>
  /** Watches for `watchMs` where it can; looks for a moment when absent. */
  stillUsed(old: Credential, signal: AbortSignal, watchMs?: number): Promise<Use>
  /** Idempotent. */
  revoke(old: Credential, attempt: string, signal: AbortSignal): Promise<void>
  /** Ends a candidate that nothing runs with; `revoke` when absent. Idempotent. */
  discard?(candidate: Credential, attempt: string, signal: AbortSignal): Promise<void>
  /** The idle slot accepts nothing any more. */
  disable(slot: string | undefined, signal: AbortSignal): Promise<void>
  /** What runs in place of what the outputs hold; absent where nobody can tell. */
  find?(signal: AbortSignal): Promise<FoundLogins>
  /** What the outputs hold after `step`; the candidate's values when absent. `old`: what they held before the attempt. */
  valuesAt?(
    step: RolloutStep,
    old: Credential | undefined,
    candidate: Credential,
  ): Credential['values']
}

export type FaultKind = 'Unreachable' | 'Refused' | 'Pending' | 'Failed'

/** What can go wrong outside. Anything else that a rotator throws is a bug. The message never holds a value. */
export class RotatorFault extends Error {
  readonly kind: FaultKind
  /** Of Pending: ms. */
  readonly retryAfterMs: number | undefined

  constructor(kind: FaultKind, message: string, more: { readonly retryAfterMs?: number } = {}) {
    super(message)
    this.name = 'RotatorFault'
    this.kind = kind
    this.retryAfterMs = more.retryAfterMs
  }
}

/** What a rotator is opened for. */
export interface RotationAt {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly spec: RotationSpec
  /** What the outputs hold is refused: it is no login, and not what runs. */
  readonly isRefused?: boolean
}

export type RunTask = (
  stagelet: string,
  task: Omit<AgentTask, 'stageletUid'>,
  signal: AbortSignal,
) => Promise<Facts>

export interface RotatorDeps {
  readonly egress: Egress
  readonly clock: Clock
  /** Value of a secret for the controller alone, of the namespace of the Rotation; audited. */
  readonly secretOf: (name: string) => Promise<Buffer>
  /** Has the agent of a stagelet of the project do a step in a container; absent where there are no agents. */
  readonly task?: RunTask
  /** What the outputs hold now, by output. */
  readonly current?: () => Promise<Credential['values']>
}
