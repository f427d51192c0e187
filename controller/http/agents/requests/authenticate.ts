// Finds the agent that sent a request, by the MAC of a session or by the signature of the agent's key. No body is
// read before that, and none of a request whose header is at work here already. No request counts twice: the
// counters of a session are in this process, those of signed requests in the database, for all replicas.
import type { KeyObject } from 'node:crypto'
import type * as z from 'zod'
import {
  acceptSession,
  counterHeader,
  digestOf,
  isByKey,
  isOfSession,
  openMessage,
  parseCredentials,
  sealedType,
  sealMessage,
  sessionHeader,
  type Credentials,
  type RequestLine,
  type SessionKeys,
} from '../../../../src/protocol/agent-request.ts'
import { clockSkewMessage, maxClockSkewMs } from '../../../../src/kernel/clock-skew.ts'
import { publicKeyFromRaw } from '../../../../src/protocol/keys.ts'
import { protocolVersion } from '../../../../src/protocol/messages.ts'
import { protocolFault } from '../../../../src/protocol/version.ts'
import type { AgentCost } from './admission.ts'
import { agentKeyOf } from '../../../../src/protocol/agent-key.ts'
import type { AgentRoutesDeps, RegisteredAgent } from '../deps.ts'
import { readBody } from '../../read-body.ts'
import { AgentRefusedError, type RefusedAgent } from '../../../orders/agent-refused.ts'
import { decodeBody, type AgentContext } from './refusal.ts'
import { RequestSessions } from './request-sessions.ts'

export interface Caller {
  readonly agentUid: string
  readonly agent: RegisteredAgent
  /** True for a request that the agent's key signed, outside of a session. */
  readonly isByKey: boolean
  /** When the request was signed, by the agent's clock, minus when it came, in ms: see clock-skew.ts. */
  readonly aheadMs: number
  /** Runs a check whose AgentRefusedError is about this agent. */
  check(work: () => void): void
  /** Proof of this one request. */
  readonly proof: string
  /**
   * Reads the body and counts the request: the same request again is refused, also while the body comes.
   * AgentRefusedError. `lasts`: the request is for a stream, which is not over when it is answered, and its body is not
   * counted for so long.
   */
  take<T>(schema: z.ZodType<T>, maxBytes: number, lasts?: 'lasts'): Promise<T>
  /** The controller had asked for what was taken: it costs the agent nothing. */
  wasAsked(): void
  /** Makes the answer, sealed to the agent. */
  answer(value: object): Response
}

/** Throws 401 with the reason when the credentials are not good. */
export type AgentAuthenticator = (c: AgentContext) => Promise<Caller>

type Deps = Pick<AgentRoutesDeps, 'identity' | 'agents' | 'clock'> & { readonly cost: AgentCost }

/** A request whose proof is good. */
interface Proven {
  readonly agentUid: string
  readonly agent: RegisteredAgent
  readonly keys: SessionKeys
  /** Number that the nonces of body and answer are made from. */
  readonly counter: number
  /** Throws for a request that came before, and for one for a stream that is older than another one. */
  readonly count: (isStream: boolean) => Promise<void> | void
  /** Throws for a request that came before, and changes nothing. */
  readonly checkNew: () => Promise<void> | void
}

/** Bodies of one agent that may come at the same time. */
const atOnceOfAgent = 8

const nameOf = (by: Credentials): string =>
  `${by.form === 'session' ? by.session : by.agentUid} ${by.counter}`

/** Does one piece of work for each name at a time, and refuses another one meanwhile. */
const createAtWork = (): (<T>(name: string, work: () => Promise<T>) => Promise<T>) => {
  const names = new Set<string>()
  return async (name, work) => {
    if (names.has(name))
      throw new AgentRefusedError(401, 'Repeated', 'this very request is being worked on')
    names.add(name)
    try {
      return await work()
    } finally {
      names.delete(name)
    }
  }
}

export const createAuthenticator = (deps: Deps): AgentAuthenticator => {
  const { identity, clock } = deps
  const sessions = new RequestSessions()
  const [keyOf, used, atWork] = [createKeyCache(), createUsedCounters(), createAtWork()]
  return async (c) => {
    const arrivedAt = clock.now()
    const { controllerId } = identity
    const line = { method: c.req.method, path: c.env.incoming.url ?? '', controllerId }
    const credentials = credentialsOf(c)
    const proven =
      credentials.form === 'session'
        ? await proveSession(deps, sessions, line, credentials)
        : await proveKey({ ...deps, sessions, keyOf, used }, c, line, credentials)
    const { agentUid, agent, keys, counter } = proven
    const aheadMs = credentials.time - arrivedAt
    const refused = { agentKey: agentKeyOf(agent.namespace, agent.name), agentUid, aheadMs }
    deps.cost.check(agentUid)
    if (!isInTime(credentials.time, arrivedAt)) {
      // One that was recorded is not of this time, and says nothing about the agent's clock.
      await proven.checkNew()
      deps.cost.chargeStream(agentUid)
      inNameOf(refused, () => checkClock(credentials.time, arrivedAt))
    }
    let takeBack = (): void => undefined
    return {
      agentUid,
      agent,
      proof: credentials.proof,
      isByKey: credentials.form === 'key',
      aheadMs,
      check: (work) => inNameOf(refused, work),
      take: async (schema, most, lasts) => {
        const isBrief = lasts !== undefined
        const owner = `agent ${agentUid}`
        const text = await atWork(nameOf(credentials), async () => {
          const body = await readBody(c, { owner, most, atOnce: atOnceOfAgent, isBrief })
          const opened =
            digestOf(body) === credentials.digest
              ? openMessage(keys.request, counter, body)
              : undefined
          if (opened === undefined)
            throw new AgentRefusedError(401, 'BadProof', 'the body is not the one that was signed')
          await proven.count(isBrief)
          takeBack = deps.cost.charge(agentUid, body.length)
          return opened
        })
        return decodeBody(text, schema)
      },
      wasAsked: () => takeBack(),
      answer: (value) => {
        const sealed = sealMessage(keys.answer, counter, JSON.stringify(value))
        return c.body(new Uint8Array(sealed), 200, { 'Content-Type': sealedType })
      },
    }
  }
}

const inNameOf = (agent: RefusedAgent, work: () => void): void => {
  try {
    work()
  } catch (error) {
    if (error instanceof AgentRefusedError) error.agent = agent
    throw error
  }
}

const credentialsOf = (c: AgentContext): Credentials => {
  const header = c.req.header('Authorization') ?? ''
  const credentials = parseCredentials(header)
  if (credentials !== undefined) return credentials
  // Agents before protocol 2.0 sent a token, which anybody who had seen it could use for any request.
  if (header.startsWith('Bearer '))
    throw new AgentRefusedError(426, 'Protocol', protocolFault(protocolVersion, '1.1')!)
  throw new AgentRefusedError(401, 'Unauthorized', 'the request is not signed by an agent')
}

const proveSession = async (
  { agents }: Deps,
  sessions: RequestSessions,
  line: RequestLine,
  by: Extract<Credentials, { form: 'session' }>,
): Promise<Proven> => {
  const unknown = (): AgentRefusedError =>
    new AgentRefusedError(
      401,
      'UnknownSession',
      'this session is not known here: sign with the key',
    )
  const session = sessions.find(by.session)
  if (session === undefined) throw unknown()
  const { agentUid, keys, window } = session
  if (!isOfSession(line, by, keys))
    throw new AgentRefusedError(401, 'BadProof', 'the MAC is not of this request')
  const repeated = (): AgentRefusedError =>
    new AgentRefusedError(401, 'Repeated', `request ${by.counter} of this session came before`)
  if (window.has(by.counter)) throw repeated()
  const agent = await agents.keysOf(agentUid)
  if (agent?.ed25519 !== session.ed25519) {
    sessions.endAll(agentUid)
    throw agent === undefined ? unknownAgent() : unknown()
  }
  const count = (isStream: boolean): void => {
    if (!window.take(by.counter)) throw repeated()
    if (isStream && !sessions.takeStream(session, by.counter)) throw repeated()
  }
  // Whether it came before was looked at above.
  return { agentUid, agent, keys, counter: by.counter, count, checkNew: () => undefined }
}

const proveKey = async (
  {
    identity,
    agents,
    sessions,
    keyOf,
    used: usedHere,
  }: Deps & {
    sessions: RequestSessions
    keyOf: (agent: RegisteredAgent) => KeyObject
    used: UsedCounters
  },
  c: AgentContext,
  line: RequestLine,
  by: Extract<Credentials, { form: 'key' }>,
): Promise<Proven> => {
  const { agentUid } = by
  const agent = await agents.keysOf(agentUid)
  if (agent === undefined) throw unknownAgent()
  if (!isByKey(line, by, keyOf(agent)))
    throw new AgentRefusedError(
      401,
      'BadSignature',
      'not signed by the key that this agent registered',
    )
  const repeated = (used: number): AgentRefusedError => {
    c.header(counterHeader, String(used))
    return new AgentRefusedError(401, 'Repeated', `the agent has signed request ${used} by now`)
  }
  const before = usedHere.newest(agent.ed25519)
  if (by.counter <= before) throw repeated(before)
  const keys = acceptSession({ ...identity, agentUid }, identity.x25519, by.enc)
  const count = async (isStream: boolean): Promise<void> => {
    const { ed25519 } = agent
    const used = await agents.useCounter({ agentUid, ed25519, counter: by.counter })
    usedHere.note(ed25519, used ?? by.counter)
    if (used !== undefined) throw repeated(used)
    const session = sessions.begin({ agentUid, ed25519, keys })
    if (isStream) sessions.takeStream(session, 0)
    c.env.outgoing.setHeader(sessionHeader, session.id)
  }
  const checkNew = async (): Promise<void> => {
    const used = await agents.usedCounter(agentUid)
    if (by.counter <= used) throw repeated(used)
  }
  return { agentUid, agent, keys, counter: 0, count, checkNew }
}

const unknownAgent = (): AgentRefusedError =>
  new AgentRefusedError(
    401,
    'UnknownAgent',
    'this agent is not registered here: it was revoked, or ended as an ephemeral one; give it a new join token: stagely agent token create',
  )

/** Importing a key costs more than a MAC. */
const createKeyCache = (): ((agent: RegisteredAgent) => KeyObject) => {
  const imported = new Map<string, KeyObject>()
  return ({ ed25519 }) => {
    const cachedKey = imported.get(ed25519)
    if (cachedKey !== undefined) return cachedKey
    if (imported.size >= 20_000) imported.clear()
    const key = publicKeyFromRaw('Ed25519', Buffer.from(ed25519, 'base64url'))
    imported.set(ed25519, key)
    return key
  }
}

interface UsedCounters {
  /** The highest counter of the key that was used here; 0 where none is remembered. */
  newest(ed25519: string): number
  note(ed25519: string, counter: number): void
}

/** Saves the body of a request whose counter was used here. The database decides: this is emptied when it is large. */
const createUsedCounters = (): UsedCounters => {
  const newest = new Map<string, number>()
  return {
    newest: (ed25519) => newest.get(ed25519) ?? 0,
    note: (ed25519, counter) => {
      if (newest.size >= 20_000) newest.clear()
      newest.set(ed25519, Math.max(newest.get(ed25519) ?? 0, counter))
    },
  }
}

const isInTime = (theirs: number, ours: number): boolean =>
  Math.abs(theirs - ours) <= maxClockSkewMs

/** Throws for an agent's time, in ms, that is too far from the controller's. */
export const checkClock = (theirs: number, ours: number): void => {
  if (isInTime(theirs, ours)) return
  throw new AgentRefusedError(400, 'ClockSkew', clockSkewMessage(theirs, ours))
}
