// The end of a value: its rules, and the conditions that hold at a moment. Pure.
import * as z from 'zod'
import { toTimestamp } from '../../kernel/clock.ts'
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { limits } from '../../resources/limits.ts'
import type { NewCondition } from '../../resources/conditions.ts'
import { duration, durationMs, isDuration } from '../../resources/duration.ts'

const oneEnd = 'give at most one of after and at'
export const onlyMade =
  'a new value can be made only where spec.valueFrom says how (generate or rotation), and with after; use onExpiry: Warn'

/** Warnings by default. */
const usualWarnings = ['30d', '7d', '1d']

export const expirySpec = z
  .strictObject({
    after: duration
      .optional()
      .describe('The value ends so long after it was given, such as 90d. Not with at.'),
    at: z.iso
      .datetime({ offset: true, error: 'must be a time, such as 2027-03-31T00:00:00Z' })
      .max(limits.time)
      .meta({ format: 'date-time' })
      .optional()
      .describe('The value ends at this time. Not with after.'),
    warn: z
      .array(duration)
      .max(10)
      .optional()
      .describe('How long before the end warnings are given, each once; 30d, 7d, 1d when absent.'),
    onExpiry: z
      .enum(['Warn', 'Rotate'])
      .optional()
      .describe(
        'What happens at the end; Warn when absent. Rotate: a new value is generated and rolled out; only with after, and valueFrom.generate or valueFrom.rotation (which is started then). Containers are never stopped.',
      ),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: '!has(self.after) || !has(self.at)', message: oneEnd, fieldPath: '.at' },
    ],
  })

type ExpirySpec = z.infer<typeof expirySpec>

const invalid = (field: string, message: string): Fault => ({
  field: `spec.expiry.${field}`,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${message}`,
})

const forbidden = (field: string, message: string): Fault => ({
  field: `spec.expiry.${field}`,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${message}`,
})

/** Rules that the schema cannot express. `spec` may have faults elsewhere. */
export const checkExpiry = ({ expiry, valueFrom }: Record<string, unknown>): Fault[] => {
  if (!isRecord(expiry)) return []
  const { after, at: endsAt, warn, onExpiry } = expiry
  const isMade = isRecord(valueFrom) && (valueFrom.generate ?? valueFrom.rotation) !== undefined
  const late =
    isDuration(after) && Array.isArray(warn)
      ? (warn as unknown[]).flatMap((text, i) =>
          isDuration(text) && durationMs(text) >= durationMs(after)
            ? [invalid(`warn[${i}]`, `${text} before the end is not within after: ${after}`)]
            : [],
        )
      : []
  return [
    ...(after !== undefined && endsAt !== undefined ? [forbidden('at', oneEnd)] : []),
    ...late,
    ...(onExpiry === 'Rotate' && !(isMade && after !== undefined)
      ? [forbidden('onExpiry', onlyMade)]
      : []),
  ]
}

/** A new end that is over already. `before` is the end that was there. */
export const checkEnd = (
  expiry: ExpirySpec | undefined,
  before: ExpirySpec | undefined,
  nowMs: number,
): Fault[] => {
  const endsAt = expiry?.at
  if (endsAt === undefined || endsAt === before?.at || Date.parse(endsAt) > nowMs) return []
  return [invalid('at', `${endsAt} is over: give a time to come`)]
}

/** Known dates of a value. */
export interface Dated {
  readonly expiry?: ExpirySpec | undefined
  /** When the value was given. */
  readonly since: string | undefined
  /** The first end of the certificates in it. */
  readonly certificateEndsAt?: string | undefined
  /** By the word of the store that it comes from. */
  readonly storeEndsAt?: string | undefined
  /** How a new value is made. */
  readonly remedy: string
}

type ExpiresFrom = 'Spec' | 'Certificate' | 'Store'

export interface End {
  readonly expiresAt: string
  readonly expiresFrom: ExpiresFrom
}

/** The earliest end by the spec, the certificate and the store. */
export const endOf = ({
  expiry,
  since,
  certificateEndsAt,
  storeEndsAt,
}: Omit<Dated, 'remedy'>): End | undefined => {
  if (since === undefined) return undefined
  const { after, at: givenEnd } = expiry ?? {}
  const specEnd =
    givenEnd === undefined
      ? after && toTimestamp(Date.parse(since) + durationMs(after))
      : whole(givenEnd)
  const ends: [at: string | undefined, from: ExpiresFrom][] = [
    [specEnd, 'Spec'],
    [certificateEndsAt, 'Certificate'],
    [storeEndsAt, 'Store'],
  ]
  return ends.reduce<End | undefined>(
    (first, [expiresAt, expiresFrom]) =>
      expiresAt === undefined || (first !== undefined && first.expiresAt <= expiresAt)
        ? first
        : { expiresAt, expiresFrom },
    undefined,
  )
}

const whole = (time: string): string => toTimestamp(Date.parse(time))

type Verdict = Omit<NewCondition, 'type' | 'observedGeneration'>

interface ExpiryNow {
  /** undefined: the value has no end. */
  readonly end: End | undefined
  readonly verdicts: Readonly<Partial<Record<'Expiring' | 'Expired', Verdict>>>
  /** The next moment (ms) at which something else is true. */
  readonly nextAt: number | undefined
}

const sources = {
  Spec: 'spec.expiry',
  Certificate: 'its certificate',
  Store: 'the store that it comes from',
} as const

export const expiryAt = (dated: Dated, nowMs: number): ExpiryNow => {
  const end = endOf(dated)
  if (end === undefined) return { end, verdicts: {}, nextAt: undefined }
  const { expiresAt, expiresFrom } = end
  const endsAt = Date.parse(expiresAt)
  const isMade = dated.expiry?.onExpiry === 'Rotate' && expiresFrom === 'Spec'
  const remedy = isMade ? 'a new value is made then' : dated.remedy
  const from = `says ${sources[expiresFrom]}`
  const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })
  if (nowMs >= endsAt) {
    const message = `the value ended at ${expiresAt}, ${from}; what runs with it runs on: ${remedy}`
    const over = { status: 'True', reason: 'Ended', message } as const
    return {
      end,
      verdicts: { Expiring: no('Expired', `the value ended at ${expiresAt}`), Expired: over },
      nextAt: undefined,
    }
  }
  const steps = [...(dated.expiry?.warn ?? usualWarnings)].sort(
    (a, b) => durationMs(a) - durationMs(b),
  )
  const left = endsAt - nowMs
  const step = steps.find((warnStep) => left <= durationMs(warnStep))
  const next = steps.findLast((warnStep) => durationMs(warnStep) < left)
  const message = `the value ends at ${expiresAt}, ${from}`
  return {
    end,
    verdicts: {
      Expiring:
        step === undefined
          ? no('NotDue', message)
          : { status: 'True', reason: `DueIn${step}`, message: `${message}: ${remedy}` },
      Expired: no('NotEnded', message),
    },
    nextAt: next === undefined ? endsAt : endsAt - durationMs(next),
  }
}
