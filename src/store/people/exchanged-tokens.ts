// Tokens for jobs that were vouched for by a TrustedIssuer. See ADR 0084.
import { randomBytes } from 'node:crypto'
import type { Narrowing } from '../../access/place.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { defined } from '../../kernel/defined.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { durationMs } from '../../resources/duration.ts'
import { refOf, keyOf, type ObjectRef } from '../../resources/meta.ts'
import type { TrustRule } from '../../kinds/trusted-issuer/schema.ts'
import type { Typed } from '../../kinds/typed.ts'
import type { Actor } from '../core/actor.ts'
import { objectConflict } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { setStatus } from '../objects/status-writes.ts'
import type { AccessChanges } from './access-changes.ts'
import { hashOfToken, insertToken, type CreatedToken } from './tokens.ts'

/** A job, as its service vouches for it. */
export interface VouchedJob {
  readonly subject: string
  /** By which a person finds the job at its service. */
  readonly run: string | undefined
  /** Of the token that vouches: the same for each copy of it. */
  readonly tokenId: string
  /** From then on (ms) the token that vouches is refused by itself. */
  readonly until: number
}

export interface Exchange {
  readonly trusted: Typed<'TrustedIssuer'>
  /** Place of the rule among those of the issuer. */
  readonly ruleAt: number
  readonly job: VouchedJob
}

/** So many tokens of one rule count at a time: jobs of another one, such as pull requests, take no room from it. */
const mostAtOnce = 1_000

const minuteSeconds = 60

/** When it was used, to the minute. */
const noteUse = (session: WriteSession, trusted: Exchange['trusted']): void => {
  const { lastExchangeAt = '' } = trusted.status ?? {}
  const before = toTimestamp(session.nowMs - minuteSeconds * 1_000)
  if (lastExchangeAt > before) return
  const { resourceVersion: _, ...metadata } = trusted.metadata
  const status = { ...trusted.status, lastExchangeAt: session.now }
  setStatus(session, { ...trusted, metadata, status })
}

/** Always narrowed: a job gets nothing of what belongs to a team as a whole. */
const narrowingOf = ({ projects, environments, stagelets, folders }: TrustRule): Narrowing =>
  defined({ projects, environments, stagelets, folders })

/** Conflict where the TrustedIssuer is not as it was when the token was checked. */
const requireSame = (
  { view }: WriteSession,
  { metadata }: Exchange['trusted'],
  ref: ObjectRef,
): void => {
  const now = view.objects.get(keyOf(ref))?.object.metadata
  if (
    now?.uid === metadata.uid &&
    now?.generation === metadata.generation &&
    !now?.deletionTimestamp
  )
    return
  throw objectConflict(ref, 'it was changed meanwhile; try again')
}

/** Tokens that have ended with an earlier generation take no room. */
const requireRoom = async (
  { tx, nowMs }: WriteSession,
  { metadata }: Exchange['trusted'],
  rule: TrustRule,
): Promise<void> => {
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM tokens WHERE issuer_uid = $1 AND issuer_generation = $2
       AND role = $3 AND narrowing::text = $4 AND expires_at > $5`,
    [metadata.uid, metadata.generation ?? 0, rule.role, JSON.stringify(narrowingOf(rule)), nowMs],
  )
  if ((row?.count ?? 0) < mostAtOnce) return
  throw new StagelyError(
    'TooManyRequests',
    `${mostAtOnce} tokens of this rule of the TrustedIssuer count already: wait until some of them end`,
    { retryAfterSeconds: minuteSeconds },
  )
}

/** Unauthorized for a token that was exchanged before. */
const takeOnce = async ({ tx }: WriteSession, { tokenId, until }: VouchedJob): Promise<void> => {
  const taken = await tx.query(
    `INSERT INTO exchanged_identities (id_hash, expires_at) VALUES ($1, $2)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [hashOfToken(tokenId), until],
  )
  if (taken.length > 0) return
  throw new StagelyError('Unauthorized', 'the token was exchanged before: each counts once')
}

/** Of the machine: it says in audit rows which job it was. */
const nameOf = (issuer: string, run = ''): string =>
  [
    issuer.slice(0, 30),
    run.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 20),
    randomBytes(5).toString('hex'),
  ]
    .filter((part) => part !== '')
    .join('.')

export class ExchangedTokens {
  readonly #changes: AccessChanges

  constructor(changes: AccessChanges) {
    this.#changes = changes
  }

  /** A token for the job. Unauthorized where its own was exchanged before, Conflict where the rules were changed meanwhile. */
  exchange(actor: Actor, exchange: Exchange): Promise<CreatedToken> {
    const { trusted, ruleAt, job } = exchange
    const { uid = '', generation = 0, name, namespace = '' } = trusted.metadata
    const rule = trusted.spec.rules[ruleAt]!
    return this.#changes.write(actor, async (session) => {
      requireSame(session, trusted, refOf(trusted))
      await requireRoom(session, trusted, rule)
      await takeOnce(session, job)
      noteUse(session, trusted)
      const { subject, run } = job
      const { issuer } = trusted.spec
      return insertToken(
        session,
        { team: namespace },
        {
          name: nameOf(name, run),
          role: rule.role,
          narrowing: narrowingOf(rule),
          // Whoever writes a rule has the right to what is protected.
          entersProtected: true,
          expiresAt: session.nowMs + durationMs(rule.ttl),
        },
        {
          isProven: false,
          issuer: { uid, generation },
          detail: { trustedIssuer: name, rule: ruleAt, issuer, subject, ...defined({ run }) },
        },
      )
    })
  }
}
