// The machine of a Rotation on one page: its states, its effects, and every way from one state to the next. Pure.
//
// `decisions` says what a Rotation does next in each state: the first guard that holds counts. Where that is an effect,
// the performer does it, and `results` says what follows from its result. Guards are functions of the same name
// (guards.ts). `enter.ts` says which fields of the status each state keeps. See ADR 0065.
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'

export type State =
  /** Phases: nothing is under way; asked, made and tried; the outputs get the values. */
  | ('Idle' | 'Preparing' | 'Setting' | 'Testing' | 'RollingOut')
  /** Phases: every container runs the new credential; nobody uses the old one; the old one may end. */
  | ('Proving' | 'Overlapping' | 'Revoking')
  /** Revoking, and it is stored that the old credential ends: nothing leads back from here. */
  | 'Ending'
  /** Any phase before the values are written, after a failure: the new credential ends, and with it the attempt. */
  | 'Failing'
  /** RollingOut and Proving of the old values, after a failure with the new ones (step Back). */
  | ('RollingBack' | 'ProvingBack')

export const stateOf = (status: RotationStatus): State => {
  const { phase = 'Idle', step, failure, revokeStartedAt } = status
  if (phase === 'Idle') return phase
  if (phase === 'Revoking' && revokeStartedAt !== undefined) return 'Ending'
  if (step === 'Back') return phase === 'Proving' ? 'ProvingBack' : 'RollingBack'
  return failure === undefined ? phase : 'Failing'
}

/** Each looks before it acts, and may be done again after a crash. */
export type Effect =
  /** Asks whether the attempt may begin, and stages both credentials. */
  | 'prepare'
  /** Makes the new credential valid, tries it, writes it into the outputs. */
  | ('set' | 'test' | 'write')
  /** Looks for sessions of the old credential. */
  | 'checkUse'
  /** Tries the new credential, stores that the old one ends; tries it again, ends the old one, and tries once more. */
  | ('beginRevoke' | 'revoke')
  /** Ends the new credential of an attempt that has failed. */
  | 'scramble'
  /** Asks whether what somebody else wrote into the outputs is a login of this Rotation. */
  | 'takeOver'
  /** Between two attempts: asks whether what the outputs hold is still accepted. */
  | 'retest'
  /** After a restore: asks which credentials of the backup are accepted. */
  | 'verify'

/** Reasons of events. */
export type EventReason =
  | ('RotationStarted' | 'CredentialSet' | 'RotationProven' | 'CredentialRevoked')
  | ('RotationFailed' | 'RotationBlocked')
  | ('CredentialTested' | 'CredentialRefused' | 'CredentialUntested' | 'ServiceIllAgain')

/** `to` absent: the state stays, and fields of the status change. */
interface Transition {
  readonly do: 'move'
  readonly to?: State
  readonly event?: EventReason
}
export type Then = Transition | { readonly do: 'effect'; readonly effect: Effect } | { do: 'wait' }

const to = (state: State, event?: EventReason): Transition => ({
  do: 'move',
  to: state,
  ...(event && { event }),
})
const stay = (event?: EventReason): Transition => ({ do: 'move', ...(event && { event }) })
const run = (effect: Effect): Then => ({ do: 'effect', effect })
const wait: Then = { do: 'wait' }
const failed = (state: 'Idle' | 'Failing' | 'RollingBack'): Transition =>
  to(state, 'RotationFailed')

/** What is observed of the Rotation and its project, before an effect. */
export type Guard =
  /** The restore was of a project that is gone: its mark is taken away. */
  | 'ProjectReplaced'
  /** After a restore it is asked which credential is accepted: now, later, or once somebody mends the Rotation. */
  | ('TestDue' | 'TestLater' | 'TestHeld')
  /** The project does not exist, so that nobody knows what runs. */
  | 'ProjectMissing'
  /** Somebody asks for haste: what waits for its next try is tried at once. */
  | 'RequestHurries'
  /** Somebody else wrote the outputs. */
  | 'ForeignValues'
  /** Somebody asked over an hour ago, and it could not begin. */
  | 'RequestExpired'
  /** An attempt is due, and nothing forbids it. */
  | 'Due'
  /** The effect has failed, and is tried again at its time. */
  | 'RetryLater'
  /** An output was changed or removed meanwhile: nobody knows which credential runs. */
  | 'OutputChanged'
  /** A service fails with the new credential, and the old one is accepted still. */
  | ('CredentialFails' | 'StackFailed')
  /** A proof is needed, and is not complete, or has not lasted 60 s. */
  | 'ProofPending'
  /** Proven: services know the new value beside the old one. */
  | 'AddProven'
  /** Proven: services know only the new value. */
  | 'RemoveProven'
  /** There is no old credential. */
  | 'NothingToEnd'
  /** Somebody asked to end the old credential without a proof. */
  | ('ProofSkipped' | 'LookSkipped' | 'LookSkippedBeforeRemove')
  /** It was proven before: somebody has only started a container again. */
  | 'ProvenAgain'
  /** Not everything runs the new credential any more. */
  | 'ProofLost'
  /** A container was started since the proof began. */
  | 'ProofInterrupted'
  /** It is stored that the old credential ends, and it is not known any more that nothing runs with it. */
  | 'EndHeld'
  /** The next look for sessions of the old credential is to come. */
  | 'LookLater'
  /** Between two attempts: a service fails after all, or no more; the daily test of the credential has its time. */
  | ('IllAgain' | 'WellAgain' | 'RetestDue')
  /** None of those before. */
  | ('NotDue' | 'Proven' | 'Otherwise')

type Decisions = Readonly<Partial<Record<Guard, Then>>>

/** What comes first in every state. */
export const always: Decisions = {
  ProjectReplaced: stay(),
  TestHeld: wait,
  TestLater: wait,
  TestDue: run('verify'),
}

/** What comes next in every state but Idle. */
export const underWay: Decisions = { ProjectMissing: wait, RequestHurries: stay() }

const trying = (effect: Effect): Decisions => ({ RetryLater: wait, Otherwise: run(effect) })

export const decisions: Readonly<Record<State, Decisions>> = {
  Idle: {
    ForeignValues: run('takeOver'),
    RequestExpired: stay('RotationFailed'),
    Due: to('Preparing', 'RotationStarted'),
    IllAgain: stay('ServiceIllAgain'),
    WellAgain: stay(),
    RetestDue: run('retest'),
    NotDue: wait,
  },
  Preparing: trying('prepare'),
  Setting: trying('set'),
  Testing: trying('test'),
  RollingOut: trying('write'),
  Proving: {
    OutputChanged: failed('Idle'),
    CredentialFails: failed('RollingBack'),
    ProofPending: wait,
    AddProven: to('RollingOut'),
    RemoveProven: to('Revoking'),
    NothingToEnd: run('revoke'),
    ProofSkipped: to('Overlapping'),
    ProvenAgain: to('Overlapping'),
    Proven: to('Overlapping', 'RotationProven'),
  },
  Overlapping: {
    OutputChanged: failed('Idle'),
    StackFailed: to('Proving'),
    ProofLost: to('Proving'),
    ProofInterrupted: to('Proving'),
    LookSkippedBeforeRemove: to('RollingOut'),
    LookSkipped: to('Revoking'),
    LookLater: wait,
    Otherwise: run('checkUse'),
  },
  Revoking: {
    OutputChanged: failed('Idle'),
    RetryLater: wait,
    NothingToEnd: run('revoke'),
    ProofLost: to('Proving'),
    ProofInterrupted: to('Proving'),
    Otherwise: run('beginRevoke'),
  },
  Ending: { RetryLater: wait, EndHeld: wait, Otherwise: run('revoke') },
  Failing: trying('scramble'),
  RollingBack: trying('write'),
  ProvingBack: { OutputChanged: failed('Idle'), ProofPending: wait, Otherwise: run('scramble') },
}

/** A fault that may pass: the effect is done again at its time. */
const RetryLater = stay()

/** What follows from the result of an effect. */
export const results = {
  prepare: {
    NotAllowed: failed('Idle'),
    Prepared: to('Setting'),
    PreparedWithWarnings: to('Setting', 'RotationStarted'),
    RetryLater,
  },
  set: {
    /** Another system made it, and is asked again: one attempt has one credential. */
    Created: stay(),
    Set: to('Testing', 'CredentialSet'),
    SameCredential: failed('Idle'),
    GivenUp: failed('Failing'),
    RetryLater,
  },
  test: {
    Accepted: to('RollingOut'),
    /** A credential that is not accepted is set anew. */
    SetAgain: to('Setting'),
    GivenUp: failed('Failing'),
    RetryLater,
  },
  write: {
    Written: to('Proving'),
    WrittenBack: to('ProvingBack'),
    CandidateLost: failed('Idle'),
    /** A secret does not take the value: of an attempt that has, or has not, written another one. */
    RefusedAgain: failed('RollingBack'),
    Refused: failed('Failing'),
    RetryLater,
  },
  checkUse: {
    Used: wait,
    Unused: to('Revoking'),
    UnusedBeforeRemove: to('RollingOut'),
    CandidateLost: failed('Idle'),
    RetryLater,
  },
  /** Its values sit in a container that nobody manages: no proof speaks of that. */
  beginRevoke: { Stored: to('Ending'), SeenElsewhere: stay(), NewRefused: stay(), RetryLater },
  revoke: {
    Ended: to('Idle', 'CredentialRevoked'),
    NothingEnded: to('Idle'),
    SeenElsewhere: stay(),
    /** The new credential is not accepted any more: the old one may be the last that is. */
    NewRefused: stay(),
    RetryLater,
  },
  scramble: { Discarded: to('Idle'), RetryLater },
  retest: {
    StillAccepted: stay(),
    AcceptedAgain: stay('CredentialTested'),
    NowRefused: stay('CredentialRefused'),
    StillRefused: stay(),
    NotAsked: stay(),
    RetryLater,
  },
  takeOver: { TakenOver: stay('CredentialTested'), NotTakenOver: stay(), RetryLater },
  verify: {
    /** Nobody outside knows the credential. */
    Untestable: stay(),
    UntestableWritten: to('Proving'),
    Accepted: stay('CredentialTested'),
    AcceptedUnwritten: to('Idle', 'CredentialTested'),
    AcceptedWritten: to('Proving', 'CredentialTested'),
    /** What the attempt was about to write is accepted. */
    CandidateAccepted: to('RollingOut', 'CredentialTested'),
    CandidateAcceptedBack: to('RollingBack', 'CredentialTested'),
    OldAccepted: failed('RollingBack'),
    Refused: to('Preparing', 'CredentialRefused'),
    /** No other one may be made: the Rotation is paused, or has a fault. */
    RefusedHeld: stay('CredentialRefused'),
    RefusedUnwrittenHeld: to('Idle', 'CredentialRefused'),
    /** Nobody answers: which other credential is accepted; whether this one is; since then. */
    OthersUnknown: stay('CredentialRefused'),
    Unknown: stay('CredentialUntested'),
    RetryLater,
  },
} as const satisfies Readonly<Record<Effect, Readonly<Record<string, Then>>>>
