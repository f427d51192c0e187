// The greatest age of a project's keys: its rule, and the conditions that hold at a moment. Pure.
import * as z from 'zod'
import { instant, word } from '../../resources/limits.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { earliest } from '../../kernel/earliest.ts'
import { durationMs } from '../../resources/duration.ts'
import type { Verdict } from '../../resources/conditions.ts'

const dayMs = 86_400_000
/** So long after a key is due new values are taken all the same. */
const graceDays = 30

export const keyRotationSpec = z.strictObject({
  every: z
    .string({ error: 'must be text, such as 90d' })
    .regex(/^[1-9]\d{0,3}d$/, 'must be whole days, such as 90d')
    .describe(
      'No key of the project should be older than this, such as 90d. The controller replaces the data key then, and tells of the key that wraps it.',
    ),
  enforce: z
    .boolean()
    .optional()
    .describe(
      `True: ${graceDays} days after a key is due, new values of the project are refused until it is replaced. What runs runs on.`,
    ),
})

export const projectKeysStatus = z.strictObject({
  dataKeySince: instant.optional().describe('Since when its data key seals values.'),
  wrappedBy: word
    .optional()
    .describe('Name of the key that wraps its keys; absent for the master key.'),
  wrappedSince: instant.optional().describe('Since when that key wraps keys here.'),
  rotationDueAt: instant.optional().describe('When the first of them is due for rotation.'),
})

type KeyRotation = z.infer<typeof keyRotationSpec>
type ProjectKeysStatus = z.infer<typeof projectKeysStatus>

/** Since when (ms) the keys of a project are in use; undefined where that is not known. */
export interface KeysInUse {
  readonly dataKeySince: number | undefined
  /** undefined: the master key. */
  readonly wrappedBy: string | undefined
  readonly wrappedSince: number | undefined
}

/** A project, and the rule for its keys. */
export interface KeyRule {
  readonly namespace: string
  readonly name: string
  /** Of the project; undefined: it leaves the rule to the controller. */
  readonly own: KeyRotation | undefined
  /** Of the controller (ms). */
  readonly usualMs: number
}

type Which = 'data' | 'wrapping'

interface Key {
  readonly which: Which
  readonly since: number
  readonly dueAt: number
}

/** A project is told of the master key only where it has a rule of its own: the operator is told of it anyway. */
const keysOf = (keys: KeysInUse, { own, usualMs }: Pick<KeyRule, 'own' | 'usualMs'>): Key[] => {
  const everyMs = own === undefined ? usualMs : durationMs(own.every)
  const concerns = own !== undefined || keys.wrappedBy !== undefined
  const all = [
    ['data', keys.dataKeySince],
    ['wrapping', concerns ? keys.wrappedSince : undefined],
  ] as const
  return all.flatMap(([which, since]) =>
    since === undefined ? [] : [{ which, since, dueAt: since + everyMs }],
  )
}

/** When (ms) its data key is due; undefined where its age is not known. */
export const dataKeyDueAt = (
  keys: KeysInUse,
  rule: Pick<KeyRule, 'own' | 'usualMs'>,
): number | undefined => keysOf(keys, rule).find(({ which }) => which === 'data')?.dueAt

const wordsOf = (which: Which, wrappedBy: string | undefined): string => {
  if (which === 'data') return 'the data key'
  return wrappedBy === undefined
    ? 'the master key'
    : `the key "${wrappedBy}", which wraps its keys,`
}

const remedyOf = (which: Which, { namespace, name }: KeyRule): string =>
  which === 'data'
    ? `stagely admin keys rotate --project ${name} -n ${namespace}`
    : 'give the controllers a new key, or make a new version in its service, then stagely admin keys rotate --master (see /docs/operations#keys of the controller)'

/** `days` since it was due. */
export const overdueBy = (days: number): string =>
  days === 0 ? 'due for rotation' : `${days} ${days === 1 ? 'day' : 'days'} overdue`

const reasons: Readonly<Record<Which, string>> = { data: 'DataKeyDue', wrapping: 'WrappingKeyDue' }

const refusalAt = (dueAt: number): number => dueAt + graceDays * dayMs

const enforcedText = (rule: KeyRule, dueAt: number, nowMs: number): string => {
  if (rule.own?.enforce !== true) return ''
  const from = refusalAt(dueAt)
  return nowMs >= from
    ? '; until then new values of the project are refused'
    : `; from ${toTimestamp(from)} on new values of the project are refused`
}

const waitsText = '; the controller waits: '

/** The message without the reason for which the controller waits, which may change with each attempt. */
export const toldOf = (message: string): string => message.split(waitsText)[0] ?? message

export interface KeysNow {
  readonly dueAt: number | undefined
  /** undefined: there is nothing to say. */
  readonly verdict: Verdict | undefined
  /** The next moment (ms) at which something else is true. */
  readonly nextAt: number | undefined
}

/** `waits`: why the controller has not replaced the data key yet. The text of what is due changes once a day. */
export const keysAt = (
  keys: KeysInUse,
  rule: KeyRule,
  { nowMs, waits }: { nowMs: number; waits?: string | undefined },
): KeysNow => {
  const all = keysOf(keys, rule).sort((a, b) => a.dueAt - b.dueAt)
  const due = all.filter(({ dueAt }) => dueAt <= nowMs)
  const dueAt = all[0]?.dueAt
  const next = all.find((key) => key.dueAt > nowMs)?.dueAt
  if (due.length === 0 || dueAt === undefined) {
    const isSaid = rule.own !== undefined && dueAt !== undefined
    const message = isSaid ? `the first key is due at ${toTimestamp(dueAt)}` : ''
    const verdict: Verdict = { status: 'False', reason: 'NotDue', message }
    return { dueAt, verdict: isSaid ? verdict : undefined, nextAt: next }
  }
  const texts = due.map(({ which, since, dueAt: dueMs }) => {
    const days = Math.floor((nowMs - dueMs) / dayMs)
    const what = `${wordsOf(which, keys.wrappedBy)} is from ${toTimestamp(since)} and ${overdueBy(days)}`
    return `${what}: ${remedyOf(which, rule)}`
  })
  const everyDay = due.map(
    ({ dueAt: dueMs }) => dueMs + (Math.floor((nowMs - dueMs) / dayMs) + 1) * dayMs,
  )
  return {
    dueAt,
    verdict: {
      status: 'True',
      reason: due.length > 1 ? 'KeysDue' : reasons[due[0]!.which],
      message: `${texts.join('; ')}${enforcedText(rule, dueAt, nowMs)}${waits === undefined ? '' : `${waitsText}${waits}`}`,
    },
    nextAt: everyDay.reduce<number | undefined>(earliest, next),
  }
}

const msOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text)

const keysIn = (status: ProjectKeysStatus | undefined): KeysInUse => ({
  dataKeySince: msOf(status?.dataKeySince),
  wrappedBy: status?.wrappedBy,
  wrappedSince: msOf(status?.wrappedSince),
})

/** Why the project takes no new value; undefined where it does. */
export const overdueKeys = (
  rule: KeyRule,
  status: ProjectKeysStatus | undefined,
  nowMs: number,
): string | undefined => {
  if (rule.own?.enforce !== true) return undefined
  const keys = keysIn(status)
  const { dueAt, verdict } = keysAt(keys, rule, { nowMs })
  return dueAt !== undefined && refusalAt(dueAt) <= nowMs ? verdict?.message : undefined
}
