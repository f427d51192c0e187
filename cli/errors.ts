// Errors of the command line, and how every error is shown.
import { isReason, messageOf, StagelyError } from '../src/kernel/errors.ts'

/** A failure that one sentence explains. `exitCode` 2 is wrong usage, 1 anything else. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.exitCode = exitCode
  }
}

const reasonsOfSystem: Readonly<Record<string, string>> = {
  EACCES: 'this user has no right to it',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such file',
}

/** For `catch`: the system refuses, by its code. `what`: `read .env`. */
export const cannot =
  (what: string, remedy = '') =>
  (error: unknown): never => {
    if (error instanceof CliError) throw error
    const { code = 'failed' } = error as NodeJS.ErrnoException
    throw new CliError(`cannot ${what}: ${reasonsOfSystem[code] ?? code}${remedy}`, 1, error)
  }

/** The same, with these words. */
export const failing =
  (message: string, exitCode?: 1 | 2) =>
  (error: unknown): never => {
    throw new CliError(message, exitCode, error)
  }

export const usageError = (message: string): CliError => new CliError(message, 2)

/** There was no answer, or not the whole of it. */
export class UnansweredError extends CliError {}

/** True where the same question may be answered in a moment, as after a restart of the server. */
export const maySucceedLater = (error: unknown): boolean =>
  error instanceof UnansweredError || isReason(error, 'ServiceUnavailable')

/** The controller does not accept the token. */
export class RefusedToken extends CliError {}

/** The answer is not from a controller. */
export class NotStagely extends CliError {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** Ends the command with this exit code; everything is printed already. */
export class Exit extends Error {
  override readonly name = 'Exit'
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** What to do next, where the server says only what is wrong. */
const remedyOf = ({ reason, message, details: { kind } }: StagelyError): string[] => {
  if (reason === 'NotFound' && kind !== undefined)
    return [`("stagely get ${kind}" shows what there is)`]
  const isBare = reason === 'Forbidden' && !message.includes('roles that may')
  return isBare ? ['("stagely whoami" shows your roles)'] : []
}

/** Text for stderr; kubectl's words for errors of the server. */
export const renderError = (error: unknown): string => {
  if (!(error instanceof StagelyError)) return `error: ${messageOf(error)}`
  const { faults = [], kind, name, requestId } = error.details
  const invalid = error.reason === 'Invalid' && faults.length > 0
  const head =
    invalid && kind !== undefined
      ? `The ${kind} "${name ?? ''}" is invalid:`
      : `Error from server (${error.reason}): ${error.message}`
  const untold = invalid ? faults.filter(({ message }) => !head.includes(message)) : []
  return [
    head,
    ...untold.map((fault) => `* ${fault.field}: ${fault.message}`),
    ...remedyOf(error),
    ...(requestId === undefined ? [] : [`(request ${requestId})`]),
  ].join('\n')
}
