// Answers kept for requests that may come again. One request of several with the same key does the
// work; the others get its answer.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { storableJson } from '../kernel/storable.ts'
import type { Settings } from './settings.ts'
import type { Sql } from './drivers/sql.ts'

/** How long an answer is kept, in ms. */
const keepMs = 24 * 3_600_000
/** A claim without an answer ends after this time (ms): the next request may do the work. */
const claimMs = 60_000

export interface KeptRequest {
  readonly principal: string
  readonly route: string
  readonly key: string
  /** Everything that makes the request what it is; only its HMAC is stored. */
  readonly content: readonly (string | Buffer)[]
}

export type Claim =
  | { readonly outcome: 'claimed'; readonly claim: string }
  | { readonly outcome: 'busy' | 'other' }
  | { readonly outcome: 'answered'; readonly answer: unknown }

const claimSql = `
INSERT INTO idempotency_keys AS k (principal, route, key, request_mac, claim, claimed_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (principal, route, key) DO UPDATE
SET request_mac = excluded.request_mac, claim = excluded.claim, claimed_at = excluded.claimed_at,
  expires_at = excluded.expires_at, answer = NULL
WHERE k.expires_at <= $6 OR (k.answer IS NULL AND k.claimed_at <= $8 AND k.request_mac = excluded.request_mac)
RETURNING claim`

export class IdempotencyKeys {
  readonly #sql: Sql
  readonly #settings: Settings
  readonly #clock: Clock
  #macKey: Promise<Buffer> | undefined

  constructor(sql: Sql, settings: Settings, clock: Clock) {
    this.#sql = sql
    this.#settings = settings
    this.#clock = clock
  }

  /** `claimed`: do the work, then answer() or release(). `other`: the key was used for another request. */
  async claim(request: KeptRequest): Promise<Claim> {
    const now = this.#clock.now()
    const mac = await this.#macOf(request)
    const claim = randomUUID()
    const place = [request.principal, request.route, request.key]
    const times = [now, now + keepMs, now - claimMs]
    const [claimed] = await this.#sql.query(claimSql, [...place, mac, claim, ...times])
    if (claimed !== undefined) return { outcome: 'claimed', claim }
    const [row] = await this.#sql.query<{ request_mac: string; answer: string | null }>(
      `SELECT request_mac, answer FROM idempotency_keys WHERE principal = $1 AND route = $2 AND key = $3`,
      place,
    )
    // The key was released between the two statements: the next request gets it.
    if (row === undefined) return { outcome: 'busy' }
    if (row.request_mac !== mac) return { outcome: 'other' }
    return row.answer === null
      ? { outcome: 'busy' }
      : { outcome: 'answered', answer: JSON.parse(row.answer) as unknown }
  }

  /** Keeps the answer, which must hold no secret, for 24 hours. */
  async answer(claim: string, answer: unknown): Promise<void> {
    await this.#sql.query('UPDATE idempotency_keys SET answer = $2::json WHERE claim = $1', [
      claim,
      storableJson(JSON.stringify(answer)),
    ])
  }

  /** The work failed and changed nothing: the same key may try again. */
  async release(claim: string): Promise<void> {
    await this.#sql.query('DELETE FROM idempotency_keys WHERE claim = $1', [claim])
  }

  async #macOf({ content }: KeptRequest): Promise<string> {
    this.#macKey ??= this.#settings.putSealedIfAbsent('idempotency-mac', randomBytes(32))
    const mac = createHmac('sha256', await this.#macKey)
    for (const part of content) mac.update(`${Buffer.byteLength(part)}:`).update(part)
    return mac.digest('base64url')
  }
}
