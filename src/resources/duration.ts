// Lengths of time as text.
import * as z from 'zod'
import { lifetimePattern } from './lifetime.ts'

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const parts = /^([1-9]\d{0,4})([smhd])$/
/** A minute at least. */
const pattern = /^(([6-9]\d|[1-9]\d{2,4})s|[1-9]\d{0,4}[mhd])$/

/** `90s`, `30m`, `12h` or `90d`. */
export const duration = z
  .string({ error: 'must be text, such as 30m, 12h or 90d' })
  .max(6)
  .regex(
    pattern,
    'must be a whole number above 0 and a unit: 90s, 30m, 12h or 90d; 1m is the shortest',
  )

/** A length of at least 10 minutes. */
export const lifetime = z
  .string({ error: 'must be text, such as 30m, 72h or 14d' })
  .max(6)
  .regex(
    lifetimePattern,
    'must be at least 10m, as a whole number and a unit: 900s, 30m, 72h or 14d',
  )

/** ms. Of a text of this form. */
export const durationMs = (text: string): number => {
  const [, count = '', unit = 'd'] = parts.exec(text) ?? []
  return Number(count) * unitMs[unit as keyof typeof unitMs]
}

export const isDuration = (text: unknown): text is string =>
  typeof text === 'string' && pattern.test(text)
