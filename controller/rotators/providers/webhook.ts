// A service of somebody's own that makes, tries and ends a credential. Each step is posted, signed as Standard Webhooks
// say, with the same id at each repetition.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { isIP } from 'node:net'
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { isRecord, tryParseJson } from '../../../src/kernel/record.ts'
import type { RotationSpec } from '../../../src/kinds/rotation/schema.ts'
import type { EgressAnswer } from '../../egress/gate.ts'
import { signedHeaders } from '../../notify/message.ts'
import {
  RotatorFault,
  type Credential,
  type RotationAt,
  type Rotator,
  type RotatorDeps,
} from './rotator.ts'

type WebhookRotator = NonNullable<RotationSpec['rotator']['webhook']>
type StepName = 'create' | 'test' | 'in-use' | 'revoke'

const leastRetryMs = 1_000
const mostRetryMs = 3_600_000
const mostOutputs = 20

/** Answers of a step: `{"state": "done" | "pending" | "failed", …}`. The message of a fault repeats nothing of them. */
interface Answer {
  readonly values: Readonly<Record<string, string>> | undefined
  readonly result: string | undefined
  /** undefined: the answer has no such number. */
  readonly sessions: number | undefined
  readonly from: readonly string[]
}

const malformed = (step: StepName, what: string): RotatorFault =>
  new RotatorFault('Failed', `step ${step}: ${what}`)

const textsIn = (value: unknown): Readonly<Record<string, string>> | undefined => {
  if (!isRecord(value)) return undefined
  const entries = Object.entries(value)
  if (entries.length === 0 || entries.length > mostOutputs) return undefined
  return entries.every(([, text]) => typeof text === 'string' && text !== '')
    ? (value as Record<string, string>)
    : undefined
}

/** Where a session comes from: an address as such, and of anything else that it is something else. */
const placeOf = (given: unknown): string => {
  const text = typeof given === 'string' ? given : ''
  return isIP(text) !== 0 && !text.includes('%') ? text : 'elsewhere'
}

const retryIn = (given: unknown): number => {
  const seconds = typeof given === 'number' && Number.isFinite(given) ? given : 60
  return Math.min(mostRetryMs, Math.max(leastRetryMs, seconds * 1000))
}

const parse = (step: StepName, text: string, contentType: string): Answer => {
  const body = contentType.includes('json') ? tryParseJson(text) : undefined
  if (!isRecord(body))
    throw malformed(step, 'the answer is no JSON object (content-type: application/json)')
  const { state, retryAfter, values, result, sessions, from } = body
  if (state === 'pending')
    throw new RotatorFault('Pending', `step ${step} is still pending`, {
      retryAfterMs: retryIn(retryAfter),
    })
  if (state === 'failed') throw malformed(step, 'the service says that it failed')
  if (state !== 'done') throw malformed(step, 'the answer says no state: done, pending or failed')
  return {
    values: textsIn(values),
    result: typeof result === 'string' ? result : undefined,
    sessions:
      Number.isSafeInteger(sessions) && Number(sessions) >= 0 ? Number(sessions) : undefined,
    from: Array.isArray(from) ? [...new Set(from.map(placeOf))].slice(0, 20) : [],
  }
}

const read = (step: StepName, answer: EgressAnswer): Answer => {
  if (answer.status >= 500 || answer.status === 429)
    throw new RotatorFault(
      'Unreachable',
      `step ${step}: the service answers with status ${answer.status}`,
    )
  if (answer.status < 200 || answer.status >= 300)
    throw malformed(step, `the service answers with status ${answer.status}`)
  return parse(step, answer.text, answer.headers['content-type'] ?? '')
}

interface StepInput {
  readonly attempt: string
  readonly values?: Readonly<Record<string, string>>
  readonly which?: 'new' | 'old'
}

export const openWebhook = (
  { url, signingKeyRef }: WebhookRotator,
  { uid, namespace, name, spec }: RotationAt,
  { egress, clock, secretOf }: RotatorDeps,
): Rotator => {
  const post = async (
    step: StepName,
    { attempt, values, which }: StepInput,
    signal: AbortSignal,
  ): Promise<Answer> => {
    // One attempt can end the new credential and the old one: these are two requests.
    const id = [attempt, step, ...(which === undefined ? [] : [which])].join('.')
    const data = {
      rotation: name,
      team: namespace,
      project: spec.projectRef.name,
      attempt,
      step,
      outputs: Object.keys(spec.outputs),
      ...defined({ values, which }),
    }
    const nowMs = clock.now()
    const timestamp = toFineTimestamp(nowMs)
    const body = JSON.stringify({ type: 'stagely.rotation', timestamp, data })
    const signingKey = await secretOf(signingKeyRef.name)
    const headers = { ...signedHeaders({ id, body }, { nowMs, signingKey }), 'idempotency-key': id }
    const answer = await egress
      .call({ url, method: 'POST', headers, body, signal })
      .catch((error: unknown) => {
        if (!(error instanceof StagelyError)) throw error
        throw new RotatorFault('Unreachable', `step ${step}: ${error.message}`)
      })
    return read(step, answer)
  }

  const tried = async (
    { values }: Credential,
    signal: AbortSignal,
  ): Promise<'accepted' | 'refused'> => {
    // Another one each time: an answer is no promise for later.
    const attempt = `${uid}.${String(clock.now())}`
    const { result } = await post('test', { attempt, values }, signal)
    if (result !== 'accepted' && result !== 'refused')
      throw malformed('test', 'the answer says no result: accepted or refused')
    return result
  }

  return {
    slots: [],
    outputs: Object.keys(spec.outputs),
    make: () => Promise.reject(new Error('the credential is made outside')),
    create: async (attempt, signal) => {
      const { values } = await post('create', { attempt }, signal)
      if (values === undefined)
        throw malformed('create', 'the answer has no values, as texts by output')
      const missing = Object.keys(spec.outputs).filter((output) => values[output] === undefined)
      if (missing.length > 0)
        throw malformed('create', `the answer has no value for ${missing.join(', ')}`)
      return { slot: undefined, values }
    },
    preflight: async () => {
      await secretOf(signingKeyRef.name)
      return []
    },
    checkAccepted: (credential, signal) => tried(credential, signal),
    set: () => Promise.resolve(),
    test: (credential, signal) => tried(credential, signal),
    stillUsed: async ({ values }, signal) => {
      const attempt = `${uid}.${String(clock.now())}`
      const { sessions, from } = await post('in-use', { attempt, values }, signal)
      if (sessions === undefined)
        throw malformed('in-use', 'the answer has no number of sessions (0 or more)')
      return { sessions, from }
    },
    revoke: async ({ values }, attempt, signal) => {
      await post('revoke', { attempt, values, which: 'old' }, signal)
    },
    discard: async ({ values }, attempt, signal) => {
      await post('revoke', { attempt, values, which: 'new' }, signal)
    },
    disable: () => Promise.resolve(),
  }
}
