// Lengths of time as text.
import * as z from 'zod'
import { lifetimePattern } from './lifetime.ts'

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const pattern = /^([1-9]\d{0,4})(m|h|d)$/

/** `30m`, `12h` or `90d`. */
export const duration = z
  .string({ error: 'must be text, such as 30m, 12h or 90d' })
  .max(6)
  .regex(
    pattern,
    'must be a whole number above 0 and a unit: 30m, 12h or 90d; 1m is the shortest, seconds are not taken',
  )

/** A length of at least 10 minutes. */
export const lifetime = z
  .string({ error: 'must be text, such as 30m, 72h or 14d' })
  .max(6)
  .regex(
    lifetimePattern,
    'must be at least 10m, as a whole number and a unit: 30m, 72h or 14d; seconds are not taken',
  )

/** ms. Of a text of this form. */
export const durationMs = (text: string): number => {
  const [, count = '', unit = 'd'] = pattern.exec(text) ?? []
  return Number(count) * unitMs[unit as keyof typeof unitMs]
}

export const isDuration = (text: unknown): text is string =>
  typeof text === 'string' && pattern.test(text)
