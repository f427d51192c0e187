// Idempotency-Key: a repeated POST (after a timeout, or twice at once) is executed once.
import type { Clock } from '../../../src/kernel/clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { Claim, IdempotencyKeys, KeptRequest } from '../../../src/store/idempotency-keys.ts'
import type { RestAnswer } from './route.ts'

export interface IdempotencyDeps {
  readonly keys: IdempotencyKeys
  readonly clock: Clock
}

const patienceMs = 10_000
const lookAgainMs = 50

/** BadRequest for an invalid key; undefined without the header. */
export const parseIdempotencyKey = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header
  throw new StagelyError(
    'BadRequest',
    'Idempotency-Key must be 1 to 255 printable characters without spaces; a UUID is good',
  )
}

/**
 * Runs `work` once for the key. Every other request with the same content gets the same answer, without
 * the fields of `shownOnce`. Invalid when the key was used with other content.
 */
export const answerOnce = async (
  { keys, clock }: IdempotencyDeps,
  request: KeptRequest,
  { shownOnce, work }: { shownOnce: readonly string[]; work: () => Promise<RestAnswer> },
): Promise<RestAnswer> => {
  const claim = await claimInTime(keys, clock, request)
  if (claim.outcome === 'answered') {
    const kept = claim.answer as RestAnswer
    return { ...kept, headers: { ...kept.headers, 'idempotency-replayed': 'true' } }
  }
  if (claim.outcome !== 'claimed') throw refusal(claim)
  let answer: RestAnswer
  try {
    answer = await work()
  } catch (error) {
    await keys.release(claim.claim)
    throw error
  }
  await keys.answer(claim.claim, { ...answer, body: without(answer.body, shownOnce) })
  return answer
}

const claimInTime = async (
  keys: IdempotencyKeys,
  clock: Clock,
  request: KeptRequest,
): Promise<Claim> => {
  const until = clock.now() + patienceMs
  for (;;) {
    const claim = await keys.claim(request)
    if (claim.outcome !== 'busy' || clock.now() >= until) return claim
    await clock.sleep(lookAgainMs)
  }
}

const refusal = (claim: Claim): StagelyError =>
  claim.outcome === 'other'
    ? new StagelyError(
        'Invalid',
        'this Idempotency-Key was used for another request: make a new key for each request',
      )
    : new StagelyError('Conflict', 'a request with this Idempotency-Key is still being answered', {
        retryAfterSeconds: 1,
      })

const without = (body: unknown, fields: readonly string[]): unknown =>
  typeof body !== 'object' || body === null
    ? body
    : Object.fromEntries(Object.entries(body).filter(([field]) => !fields.includes(field)))
