// Faults of a stack's files, or of Compose itself, as the stagelet tells them.
import { ComposeError, type Compose } from '../../src/compose/compose.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { StackFault } from './allowed-folders.ts'
import { unique } from './service-model.ts'

/** The agent refuses what the stack's files ask for. */
export class StackRefused extends Error {
  readonly fault: StackFault

  constructor(fault: StackFault) {
    super(fault.message)
    this.fault = fault
  }
}

/** True when Compose has read the files and does not accept them; false when Compose did not finish. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ComposeError && error.exitCode !== undefined

/** Variables that Compose says are not set. */
export const parseUnset = (stderr: string): string[] => [
  ...[...stderr.matchAll(/The \\?"(.+?)\\?" variable is not set/g)].map((m) => m[1]!),
  ...[...stderr.matchAll(/required variable (\S+) is missing a value/g)].map((m) => m[1]!),
]

export const modelFaultOf = (
  error: unknown,
): { fault: StackFault; missingVariables: readonly string[] } => {
  if (error instanceof StackRefused) return { fault: error.fault, missingVariables: [] }
  if (!(error instanceof ComposeError) || !isRefusal(error))
    return {
      fault: { reason: 'ComposeUnavailable', message: messageOf(error) },
      missingVariables: [],
    }
  const message = `Compose does not accept the stack's files: ${error.stderr}`
  return {
    fault: { reason: 'ComposeInvalid', message },
    missingVariables: unique(parseUnset(error.stderr)),
  }
}

/** Undefined where Compose can be used. It may have been upgraded or removed since the last look. */
export const composeFault = (compose: Compose): Promise<StackFault | undefined> =>
  compose.lookAgain().then(
    () => undefined,
    (error: unknown) => modelFaultOf(error).fault,
  )
