// Status, reason and message of a condition.
import type { Verdict } from '../../src/resources/conditions.ts'

export type { Verdict }

export const yes = (reason: string, message: string): Verdict => ({
  status: 'True',
  reason,
  message,
})

export const no = (reason: string, message: string): Verdict => ({
  status: 'False',
  reason,
  message,
})

export const unknown = (reason: string, message: string): Verdict => ({
  status: 'Unknown',
  reason,
  message,
})
