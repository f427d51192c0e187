// One error class with a closed set of reasons. Errors are translated to it where foreign errors
// enter (database, Docker) and rendered where they leave (kube/status.ts). Nobody branches on text.

/** Kubernetes `StatusReason` words, and the HTTP status each one is answered with. */
export const httpStatusOf = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
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

/** The words Kubernetes uses for what is wrong with one field. */
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

/** One fault of one field. `field` is a path without a leading dot: `spec.compose.files[0]`. */
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
  /** Of the object; not sent. */
  readonly namespace?: string
  readonly uid?: string
  readonly faults?: readonly Fault[]
  readonly retryAfterSeconds?: number
  /** Id of the request that was refused, as the server's log and audit have it. */
  readonly requestId?: string
  /** Token to go on with a list that can no longer be continued as it was. */
  readonly continue?: string
  /** For the audit log alone, never sent: see DeniedAttempt. */
  readonly denied?: DeniedAttempt
}

/**
 * Why somebody was refused, where the answer does not say it: a token that was good once, or a 404
 * for what is there but belongs to another team. Every 403 is audited with or without it.
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
  /** Whose token it was, where the request has no principal. */
  readonly actorId?: string
  readonly actorName?: string
  /** The team that would have to be asked. */
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

/** True when `error` is a StagelyError for this reason. */
export const isReason = (error: unknown, reason: Reason): error is StagelyError =>
  error instanceof StagelyError && error.reason === reason

/** True for the error that an aborted AbortSignal causes; cancelling is not a failure. */
export const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')

/** Of what is thrown without being an Error (a WebAssembly program's errno) whatever it says of itself. */
export const messageOf = (error: unknown): string => {
  if (error instanceof Error) return error.message
  if (typeof error !== 'object' || error === null) return String(error)
  const said = Object.entries(error).filter(([, value]) => /^(string|number)$/.test(typeof value))
  const text = said.map(([name, value]) => `${name} ${String(value)}`).join(', ')
  return text === '' ? 'an error that says nothing of itself' : text
}
