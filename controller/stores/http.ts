// Calls of providers that speak HTTP by themselves: through the gate, with faults of the closed class.
import type * as z from 'zod'
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { parseAnswer, retryAfterMs } from '../egress/answers.ts'
import type { Egress, EgressAnswer, EgressCall } from '../egress/gate.ts'
import { StoreFault } from './provider.ts'

export interface CallDeps {
  readonly egress: Egress
  readonly clock: Clock
  /** Waited for before each call: the budget of the spec. */
  readonly spend?: ((signal: AbortSignal) => Promise<void>) | undefined
}

interface StoreRequest {
  readonly method?: EgressCall['method']
  /** Below the address, with a leading "/". */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object
}

export interface StoreAnswer {
  readonly status: number
  /** undefined where the answer is not JSON, which is a fault where the status is 200. */
  readonly json: unknown
  readonly headers: Readonly<Record<string, string>>
}

/** Answers with 200, 304 and 4xx but for 401 and 429; the rest are faults. */
export type StoreHttp = (request: StoreRequest, signal: AbortSignal) => Promise<StoreAnswer>

/** A fault of the gate as one of the store; anything else is a bug and stays as it is. */
export const faultOfGate = (error: unknown): unknown => {
  if (!(error instanceof StagelyError)) return error
  const isAnswer = error.reason === 'RequestEntityTooLarge' || error.reason === 'BadRequest'
  return new StoreFault(isAnswer ? 'Malformed' : 'Unavailable', error.message)
}

/** The fault of a status that no answer to this request should have. */
export const unexpected = (name: string, status: number): StoreFault =>
  new StoreFault('Unavailable', `${name} answers with status ${status}`)

const faultOfStatus = (
  name: string,
  { status, headers }: EgressAnswer,
  now: number,
): StoreFault | undefined => {
  if (status === 401)
    return new StoreFault('Unauthorized', `${name} does not accept the credential (status 401)`)
  if (status === 429)
    return new StoreFault(
      'Throttled',
      `${name} asks for fewer calls (status 429)`,
      retryAfterMs({ headers }, now),
    )
  if (status >= 300 && status < 400 && status !== 304)
    return new StoreFault(
      'Unavailable',
      `${name} answers with a redirect (status ${status}), which is not followed: check the address`,
    )
  return status >= 500 || status < 200 ? unexpected(name, status) : undefined
}

const jsonOf = (name: string, { status, text }: EgressAnswer): unknown => {
  if (text === '') return undefined
  try {
    return parseAnswer(text)
  } catch (error) {
    if (status !== 200 || !(error instanceof StagelyError)) return undefined
    throw new StoreFault('Malformed', `${name}: ${error.message}`)
  }
}

const dots = /^(?:\.|%2e){1,2}$/i

/** The URL of a path below an address, as it is written; undefined where a server could take it for one elsewhere. */
export const urlBelow = (address: string, path: string): string | undefined => {
  const base = address.replace(/\/+$/, '')
  const [route = ''] = path.split(/[?#]/, 1)
  // A URL loses tabs and line breaks, and takes a backslash for "/".
  const isOdd = !path.startsWith('/') || /[\0-\x20\\\x7f]/.test(path)
  if (isOdd || route.split('/').some((part) => dots.test(part))) return undefined
  const url = `${base}${path}`
  return new URL(url).href.startsWith(`${new URL(base).href.replace(/\/$/, '')}/`) ? url : undefined
}

/** `name`: the store in words, for messages. */
export const storeHttp =
  (
    { egress, clock, spend }: CallDeps,
    { name, address, ca }: { name: string; address: string; ca?: string | undefined },
  ): StoreHttp =>
  async ({ method = 'GET', path, headers = {}, body }, signal) => {
    if (!Object.values(headers).every((text) => /^[\t\x20-\x7e]*$/.test(text)))
      throw new StoreFault('Unauthorized', 'the credential holds characters that no header takes')
    const url = urlBelow(address, path)
    if (url === undefined)
      throw new StoreFault('Malformed', `${name}: a path that leaves its address is not asked for`)
    await spend?.(signal)
    const call: EgressCall = {
      url,
      method,
      signal,
      ca,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }
    const answer = await egress.call(call).catch((error: unknown) => {
      signal.throwIfAborted()
      throw faultOfGate(error)
    })
    const fault = faultOfStatus(name, answer, clock.now())
    if (fault !== undefined) throw fault
    return { status: answer.status, json: jsonOf(name, answer), headers: answer.headers }
  }

/** What the answer says; Malformed where it is not of the form that the store's interface promises. */
export const readAs = <T>(schema: z.ZodType<T>, name: string, { json }: StoreAnswer): T => {
  const read = schema.safeParse(json)
  if (read.success) return read.data
  const at = read.error.issues[0]?.path.join('.') ?? ''
  throw new StoreFault('Malformed', `${name} answers in an unknown form${at && ` (${at})`}`)
}

/**
 * As `Promise.all` over `work`, so many at the same time. The first one goes alone: where it fails, no
 * other call is made. After a fault no further one begins.
 */
export const eachInTurn = async <T, R>(
  items: readonly T[],
  parallel: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = []
  let next = 0
  let isOver = false
  const run = async (most: number): Promise<void> => {
    while (next < Math.min(most, items.length) && !isOver) {
      const i = next++
      try {
        results[i] = await work(items[i]!)
      } catch (error) {
        isOver = true
        throw error
      }
    }
  }
  await run(1)
  await Promise.all(Array.from({ length: parallel }, () => run(Infinity)))
  return results
}

/** The value of each key; equal keys are asked once. */
export const byKey = async <T extends object, R>(
  items: readonly T[],
  keyOf: (item: T) => string,
  answers: (firsts: readonly T[]) => Promise<readonly R[]>,
): Promise<Map<T, R>> => {
  const firsts = new Map(items.map((item) => [keyOf(item), item]))
  const found = await answers([...firsts.values()])
  const results = new Map([...firsts.keys()].map((key, i) => [key, found[i]!]))
  return new Map(items.map((item) => [item, results.get(keyOf(item))!]))
}
