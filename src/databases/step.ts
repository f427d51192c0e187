// What is done to a login of a database, step by step. The agent does it in a container, the controller over the
// network: both run the same steps, each on a session of its own kind.

import * as z from 'zod'

/**
 * Programs of databases read a name, a password and then statements line by line: what would be a line more is no
 * name and no password.
 */
export const isOneLine = (text: string): boolean => !/[\r\n\0]/.test(text)
const oneLine = z.string().refine(isOneLine, 'holds a line break or a NUL: give another one')
export const nameParam = oneLine.min(1)
export const passwordParam = oneLine
export const loginParam = z.object({ username: nameParam, password: passwordParam })
/** Of stillUsed: so long (ms) sessions are watched; a moment when absent. */
export const watchParam = z.int().min(0).max(5_000)

export const steps = [
  ...(['preflight', 'look', 'set', 'test', 'stillUsed', 'revoke', 'scramble'] as const),
] as const
export type Step = (typeof steps)[number]

export interface Login {
  readonly username: string
  readonly password: string
}

/** `meaningless`: a random password is accepted too. */
type Tested = 'accepted' | 'refused' | 'meaningless'

/** What a step has found; never a value. */
export interface Facts {
  /** Of preflight: what forbids a start. */
  readonly faults?: readonly string[]
  /** Of preflight: what somebody should know. */
  readonly warnings?: readonly string[]
  /** Of look and test. */
  readonly accepted?: Tested
  /** Of stillUsed. */
  readonly sessions?: number
  /** Of stillUsed: addresses. */
  readonly from?: readonly string[]
  /** Of stillUsed: so long (ms) it was watched; absent for a moment. */
  readonly watchedMs?: number
  /** Of stillUsed: the login is not there, or accepts no password at all. */
  readonly ended?: true
}

/** No step is for a login that the rotation does not have, whatever its outputs hold. */
export const checkOwn = ({ username }: Login, own: readonly (string | undefined)[]): void => {
  if (!own.includes(username))
    throw new StepFault(
      'Failed',
      `${username} is no login of this rotation: it is neither one of those that take turns nor the one in adopt`,
    )
}

export const faultKinds = ['Unreachable', 'Refused', 'Failed'] as const
export type StepFaultKind = (typeof faultKinds)[number]

/**
 * Why a step has no facts. Unreachable: nothing is known, ask again. Refused: whoever must do it, will not. Failed:
 * it was tried. The message names no value.
 */
export class StepFault extends Error {
  override readonly name = 'StepFault'
  readonly kind: StepFaultKind

  constructor(kind: StepFaultKind, message: string) {
    super(message)
    this.kind = kind
  }
}
