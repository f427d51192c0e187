// Registered agents: join tokens, and the public keys of agents that have joined.
import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import { defined } from '../../kernel/defined.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { keyFingerprint } from '../../kernel/key-fingerprint.ts'
import { sameText } from '../../kernel/same-text.ts'
import { apiVersion, type ObjectRef } from '../../resources/meta.ts'
import type { AgentSpec } from '../../kinds/agent/schema.ts'
import { specOf } from '../../kinds/typed.ts'
import { systemSource } from '../core/actor.ts'
import { noteLastSeen, recordKeyChange } from './agent-key-changes.ts'
import { objectConflict, objectNotFound } from '../core/errors.ts'
import { checkProtected } from '../places/protection.ts'
import { createInSession } from '../objects/objects.ts'
import type { Store } from '../store.ts'
import { batched } from '../../kernel/async/batched.ts'
import { useCounters, type CountedRequest } from './request-counters.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Actor, Origin } from '../core/actor.ts'

interface CreatedJoinToken {
  readonly tokenId: string
  /** Shown once; only its hash is stored. */
  readonly tokenSecret: string
  readonly expiresAt: number
}

/** The registration of an agent. Keys are raw 32 bytes in base64url. */
interface JoinInput {
  readonly tokenId: string
  readonly tokenSecret: string
  readonly namespace: string
  readonly name: string
  readonly ed25519: string
  readonly x25519: string
  /** Each attempt of an agent has a higher number. */
  readonly counter: number
}

interface RotateInput {
  readonly agentUid: string
  /** Key that signed the request. */
  readonly held: string
  readonly ed25519: string
  readonly x25519: string
  /** Value of the annotation that asked for new keys. */
  readonly request: string | undefined
}

interface AgentKeys {
  readonly namespace: string
  readonly name: string
  readonly ed25519: string
  readonly x25519: string
}

interface JoinTokenRow {
  secret_hash: string
  namespace: string
  name: string
  expires_at: number
  used_by: string | null
}

/** In lower case: PostgreSQL takes capitals for the same uid, and the counters by agent do not. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')
/** `whose` is the agent that the token was made for; undefined for an unknown token. */
const refused = (why: string, whose?: { namespace: string; name: string }): StagelyError =>
  new StagelyError(
    'Unauthorized',
    `${why}; make a new one with: stagely agent token create`,
    whose === undefined
      ? {}
      : {
          denied: {
            why: 'Credentials',
            actorName: `agent:${whose.namespace}/${whose.name}`,
            namespace: whose.namespace,
          },
        },
  )

/** The key in its canonical text, by which keys are compared. */
const checkKey = (name: string, key: string): void => {
  const isWhole = /^[A-Za-z0-9_-]{43}$/.test(key)
  if (isWhole && Buffer.from(key, 'base64url').toString('base64url') === key) return
  throw new StagelyError('BadRequest', `${name} must be 32 bytes in base64url`)
}

const repeatedJoin = (): StagelyError => refused('this request to join came before')

/** The token's row when id, secret, name and time are right; Unauthorized otherwise. */
const checkToken = async (tx: Queryable, input: JoinInput, now: number): Promise<JoinTokenRow> => {
  // The database takes no NUL character.
  if (!/^[\w-]{1,64}$/.test(input.tokenId)) throw refused('the join token is not known')
  const [token] = await tx.query<JoinTokenRow>(
    'SELECT secret_hash, namespace, name, expires_at, used_by FROM join_tokens WHERE id = $1',
    [input.tokenId],
  )
  if (token === undefined || !sameText(token.secret_hash, hashOf(input.tokenSecret))) {
    throw refused('the join token is not known')
  }
  if (token.namespace !== input.namespace || token.name !== input.name) {
    throw refused('the join token is for another agent', token)
  }
  if (token.expires_at <= now) throw refused('the join token has expired', token)
  return token
}

const notEphemeral = (ref: ObjectRef, goneAfter: string): StagelyError =>
  objectConflict(
    ref,
    `there is an agent of this name that does not say spec.ephemeral.goneAfter: ${goneAfter}; set that first, or take another name`,
  )

const mostReadAtOnce = 256

export class AgentRegistry {
  readonly #sql: Sql
  readonly #store: Store
  readonly #clock: Clock
  /** Read for every request of an agent, so that a revocation counts from the next request on. */
  readonly #readKeys: (agentUid: string) => Promise<AgentKeys | undefined>
  /**
   * Counts a request that an agent's key signed, once for all replicas. Undefined where its counter is higher than all
   * before; else the highest counter.
   */
  readonly useCounter: (request: CountedRequest) => Promise<number | undefined>

  constructor(sql: Sql, store: Store, clock: Clock) {
    this.#sql = sql
    this.#store = store
    this.#clock = clock
    this.#readKeys = batched(mostReadAtOnce, async (uids: readonly string[]) => {
      const rows = await sql.query<AgentKeys & { agent_uid: string }>(
        `SELECT agent_uid, namespace, name, ed25519, x25519 FROM agent_keys
         WHERE agent_uid = ANY ($1::uuid[])`,
        [uids],
      )
      const byUid = new Map(rows.map(({ agent_uid, ...keys }) => [agent_uid, keys]))
      return uids.map((uid) => byUid.get(uid))
    })
    this.useCounter = batched(mostReadAtOnce, (asked: readonly CountedRequest[]) =>
      useCounters(sql, asked),
    )
  }

  /** The highest counter of a request that the agent's key signed, by what useCounter has counted. */
  async usedCounter(agentUid: string): Promise<number> {
    const [row] = await this.#sql.query<{ counter: string | number }>(
      'SELECT counter FROM agent_keys WHERE agent_uid = $1',
      [agentUid],
    )
    return Number(row?.counter ?? 0)
  }

  /** Creates the Agent object too, where it does not exist. */
  createJoinToken(what: {
    namespace: string
    name: string
    ttlMs: number
    actor: Actor
    /** The machine is meant to go. Conflict where there is an agent of this name that is not so. */
    ephemeral?: AgentSpec['ephemeral'] | undefined
  }): Promise<CreatedJoinToken> {
    const { namespace, name, ttlMs, actor, ephemeral } = what
    const ref = { kind: 'Agent', namespace, name }
    return this.#store.writeWithSession(actor, async (session) => {
      const former = session.fetch(ref)
      if (former !== undefined) checkProtected(actor, { after: former.object }, session.view)
      if (former === undefined) {
        const spec = defined({ ephemeral })
        const agent = { apiVersion, kind: 'Agent', metadata: { namespace, name }, spec }
        // The Agent has no owner yet: a folder or a cluster may still declare it.
        await createInSession(session, agent, { source: systemSource })
      } else if (ephemeral !== undefined) {
        const { goneAfter } = specOf('Agent', former.object)?.ephemeral ?? {}
        if (goneAfter !== ephemeral.goneAfter) throw notEphemeral(ref, ephemeral.goneAfter)
      }
      const tokenId = randomBytes(9).toString('base64url')
      const tokenSecret = randomBytes(32).toString('base64url')
      const expiresAt = session.nowMs + ttlMs
      await session.tx.query(
        `INSERT INTO join_tokens (id, secret_hash, namespace, name, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        [tokenId, hashOf(tokenSecret), namespace, name, expiresAt, session.nowMs],
      )
      session.audit(ref, { action: 'create join token', detail: { tokenId } })
      return { tokenId, tokenSecret, expiresAt }
    })
  }

  /**
   * Unauthorized where the token is not good, or the request has been used: asked before a join counts against others.
   */
  async proveJoin(input: JoinInput): Promise<void> {
    const token = await checkToken(this.#sql, input, this.#clock.now())
    if (token.used_by === null) return
    const [used] = await this.#sql.query(
      'SELECT 1 FROM agent_keys WHERE namespace = $1 AND name = $2 AND counter >= $3',
      [token.namespace, token.name, input.counter],
    )
    if (used !== undefined) throw repeatedJoin()
  }

  /**
   * Registers the keys. The same token with the same keys succeeds again until the token expires, so that a lost answer
   * does no harm. Unauthorized for a bad token; Conflict while the agent of this name has other keys.
   */
  async join(input: JoinInput, from: Origin = {}): Promise<{ agentUid: string }> {
    checkKey('ed25519', input.ed25519)
    checkKey('x25519', input.x25519)
    const ref = { kind: 'Agent', namespace: input.namespace, name: input.name }
    const actor = {
      name: `agent:${input.namespace}/${input.name}`,
      source: 'system',
      authority: 'whole' as const,
      ...from,
    }
    const keys = `${input.ed25519} ${input.x25519}`
    return this.#store.writeWithSession(actor, async (session, tx) => {
      const token = await checkToken(session.tx, input, session.nowMs)
      const agent = session.fetch(ref)
      if (agent === undefined) throw refused('the agent was deleted')
      const [taken] = await session.tx.query<{ ed25519: string }>(
        'SELECT ed25519 FROM agent_keys WHERE agent_uid = $1',
        [agent.uid],
      )
      if (token.used_by !== null) {
        const again = token.used_by === keys && taken?.ed25519 === input.ed25519
        if (again) return { agentUid: await this.#joinAgain(session.tx, agent.uid, input) }
        throw refused('the join token was used already', token)
      }
      if (taken !== undefined) {
        throw objectConflict(ref, 'an agent of this name has joined; revoke it first')
      }
      await session.tx.query(
        `INSERT INTO agent_keys (agent_uid, namespace, name, ed25519, x25519, joined_at, counter)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [
          ...[agent.uid, ref.namespace, ref.name, input.ed25519, input.x25519],
          ...[session.nowMs, input.counter],
        ],
      )
      await session.tx.query('UPDATE join_tokens SET used_by = $2 WHERE id = $1', [
        input.tokenId,
        keys,
      ])
      await tx.setConditions(ref, [
        {
          type: 'Ready',
          status: 'Unknown',
          reason: 'Joined',
          message: 'the agent has joined and is not connected yet',
        },
      ])
      const fingerprint = keyFingerprint(input)
      await recordKeyChange(tx, ref, { type: 'Normal', reason: 'Joined', fingerprint })
      const detail = { tokenId: input.tokenId, keys: fingerprint }
      session.audit(ref, { action: 'join', detail })
      return { agentUid: agent.uid }
    })
  }

  /** A repeated join has the counter of the first one. */
  async #joinAgain(tx: Queryable, agentUid: string, { counter }: JoinInput): Promise<string> {
    const rows = await tx.query(
      'UPDATE agent_keys SET counter = $2 WHERE agent_uid = $1 AND counter < $2 RETURNING 1',
      [agentUid, counter],
    )
    if (rows.length > 0) return agentUid
    throw repeatedJoin()
  }

  /**
   * Replaces the keys, where `held` is still the agent's key. The same new keys again change nothing. Unauthorized where
   * the agent has other keys by now, or was revoked.
   */
  async rotateKeys(input: RotateInput, from: Origin = {}): Promise<void> {
    const { agentUid, held, ed25519, x25519, request } = input
    checkKey('ed25519', ed25519)
    checkKey('x25519', x25519)
    const current = await this.keysOf(agentUid)
    if (current?.ed25519 === ed25519 && current.x25519 === x25519) return
    const ref = { kind: 'Agent', namespace: current?.namespace ?? '', name: current?.name ?? '' }
    const actor = {
      name: `agent:${ref.namespace}/${ref.name}`,
      source: 'system',
      authority: 'whole' as const,
      ...from,
    }
    await this.#store.writeWithSession(actor, async (session, tx) => {
      const rows = await session.tx.query(
        `UPDATE agent_keys SET ed25519 = $3, x25519 = $4
         WHERE agent_uid = $1 AND ed25519 = $2 RETURNING 1`,
        [agentUid, held, ed25519, x25519],
      )
      const agent = rows.length === 0 ? undefined : await tx.get(ref)
      if (agent === undefined)
        throw new StagelyError('Unauthorized', 'the agent has other keys by now, or was revoked')
      const rotation = defined({ keyRotation: request })
      const status = { ...agent.status, keysRotatedAt: session.now, ...rotation }
      await tx.setStatus({ ...agent, status })
      const fingerprint = keyFingerprint(input)
      await recordKeyChange(tx, ref, { type: 'Normal', reason: 'KeysRotated', fingerprint })
      const detail = { keys: fingerprint, before: current && keyFingerprint(current) }
      session.audit(ref, { action: 'rotate keys', detail })
    })
  }

  /** Public keys of a joined agent; undefined when it never joined or was revoked. */
  async keysOf(agentUid: string): Promise<AgentKeys | undefined> {
    return uuid.test(agentUid) ? this.#readKeys(agentUid) : undefined
  }

  /** Removes the keys and open tokens, and sets the Agent to Ready=False/Revoked. NotFound. */
  revoke(ref: ObjectRef, actor: Actor): Promise<void> {
    return this.#store.writeWithSession(actor, async (session, tx) => {
      const agent = session.fetch(ref)
      if (agent === undefined) throw objectNotFound(ref)
      checkProtected(actor, { before: agent.object }, session.view)
      await noteLastSeen(tx, agent.object, session.now)
      const [had] = await session.tx.query<{ ed25519: string; x25519: string }>(
        'DELETE FROM agent_keys WHERE agent_uid = $1 RETURNING ed25519, x25519',
        [agent.uid],
      )
      await session.tx.query('DELETE FROM join_tokens WHERE namespace = $1 AND name = $2', [
        ref.namespace,
        ref.name,
      ])
      await tx.setConditions(ref, [
        {
          type: 'Ready',
          status: 'False',
          reason: 'Revoked',
          message: `revoked at ${session.now}; a new join token lets it join again`,
        },
      ])
      if (had === undefined) {
        session.audit(ref, { action: 'revoke' })
        return
      }
      const fingerprint = keyFingerprint(had)
      await recordKeyChange(tx, ref, { type: 'Warning', reason: 'Revoked', fingerprint })
      session.audit(ref, { action: 'revoke', detail: { keys: fingerprint } })
    })
  }
}
