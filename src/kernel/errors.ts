// One error class with a closed set of reasons. Foreign errors (database, Docker) are translated where
// they enter, and rendered where they leave (kube/status.ts). No code branches on the text of an error.

/** The HTTP status of each reason. But for ConfirmationRequired, AccessRequestNeeded, CredentialRevoked, SameAsProduction and those that end with Overdue they are Kubernetes' `StatusReason` words. */
export const httpStatusOf = {
  BadRequest: 400,
  Unauthorized: 401,
  /** Of a browser's session: prove again who you are, and repeat. */
  ConfirmationRequired: 401,
  Forbidden: 403,
  /** A policy guards the value: somebody else has to approve a request first. */
  AccessRequestNeeded: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  /** Values of the project are older than its policy allows. */
  PolicyOverdue: 409,
  /** The version is a credential that a Rotation has ended. */
  CredentialRevoked: 409,
  /** Keys of the project are older than its rule allows. */
  KeyRotationOverdue: 409,
  /** A value would be equal to one of an environment that it has to differ from. */
  SameAsProduction: 409,
  Expired: 410,
  PreconditionFailed: 412,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const

export type Reason = keyof typeof httpStatusOf

const reasons = Object.entries(httpStatusOf) as [Reason, number][]

/** The reason that another server gives, or else the one of its status; undefined where neither is known. */
export const reasonOf = (status: number, given: unknown): Reason | undefined =>
  (reasons.find(([reason]) => reason === given) ?? reasons.find(([, code]) => code === status))?.[0]

/** Kubernetes' words for the fault of one field. */
type FaultReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueTypeInvalid'
  | 'FieldValueTooLong'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldManagerConflict'
  | 'ResourceVersionTooLarge'

/** So many faults are told: nobody reads more, and a body may have 100,000. */
export const maxFaults = 1_000

/** The fault of one field. `field` is a path without a leading dot: `spec.compose.files[0]`. */
export interface Fault {
  readonly field: string
  readonly reason: FaultReason
  readonly message: string
}

export interface ErrorDetails {
  /** Plural for NotFound, AlreadyExists, Conflict, Forbidden; the Kind for Invalid. */
  readonly kind?: string
  readonly group?: string
  readonly name?: string
  /** Namespace of the object; not sent to the client. */
  readonly namespace?: string
  readonly uid?: string
  readonly faults?: readonly Fault[]
  readonly retryAfterSeconds?: number
  /** Id of the refused request, as in the server's log and audit. */
  readonly requestId?: string
  /** Token to continue a list whose own version has expired. */
  readonly continue?: string
  /** For the audit log only, never sent to the client: see DeniedAttempt. */
  readonly denied?: DeniedAttempt
}

/**
 * Why a request was refused, when the answer does not say so: the token was valid once, or a 404 hides
 * an object of another team. Every 403 is audited, with or without this.
 */
export interface DeniedAttempt {
  readonly why:
    | 'TokenExpired'
    | 'TokenRevoked'
    | 'UserDisabled'
    | 'OtherTeam'
    | 'Role'
    | 'Credentials'
    | 'Login'
    | 'CrossSite'
    | 'SameAsProduction'
  /** Owner of the token, when the request has no principal. */
  readonly actorId?: string
  readonly actorName?: string
  /** The team whose right was missing. */
  readonly namespace?: string
}

export class StagelyError extends Error {
  override readonly name = 'StagelyError'
  readonly reason: Reason
  readonly details: ErrorDetails

  constructor(reason: Reason, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
    this.details = details
  }
}

/** What is wrong, by field; the message alone where no field is named. */
export const faultsOf = ({ details, message }: StagelyError): Pick<Fault, 'field' | 'message'>[] =>
  (details.faults ?? []).length === 0
    ? [{ field: '', message }]
    : (details.faults ?? []).map((fault) => ({ field: fault.field, message: fault.message }))

/** True when `error` is a StagelyError for this reason. */
export const isReason = (error: unknown, reason: Reason): error is StagelyError =>
  error instanceof StagelyError && error.reason === reason

/** True for the error that an aborted AbortSignal causes; cancelling is not a failure. */
export const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')

/**
 * The message of anything that was thrown. A value that is not an Error (a WebAssembly program's errno)
 * may have a `message` as well.
 */
export const messageOf = (error: unknown): string => {
  if (error instanceof Error) return error.message
  if (typeof error !== 'object' || error === null) return String(error)
  const said = Object.entries(error).filter(([, value]) => /^(string|number)$/.test(typeof value))
  const text = said.map(([name, value]) => `${name} ${String(value)}`).join(', ')
  return text === '' ? 'an error that says nothing of itself' : text
}
