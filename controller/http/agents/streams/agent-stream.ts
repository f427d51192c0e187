// The open stream of one agent. It knows what the agent has, and sends what differs.
//
// INVARIANTS
// - Before an item its bundles are sent, without those that the agent has.
// - An item is sent again only when more than its order number changed.
// - `desired` is sent once, after the bundles of its items; later changes are single lines.
// - Where a stagelet changes several times before it is sent, only its newest state is sealed and sent.
// - Sealing and writing are one step, so that sequence numbers are sent in order.
import type { ServerResponse } from 'node:http'
import { isReason } from '../../../../src/kernel/errors.ts'
import { keyFingerprint } from '../../../../src/kernel/key-fingerprint.ts'
import type { Logger } from '../../../../src/kernel/log.ts'
import { sameJson } from '../../../../src/kernel/same-json.ts'
import type { MacKey } from '../../../../src/protocol/agent-request.ts'
import { createSealer, type Sealer } from '../../../../src/protocol/hpke.ts'
import { publicKeyFromRaw } from '../../../../src/protocol/keys.ts'
import {
  asKnown,
  bundleAad,
  namedRevisions,
  orderAad,
  protocolVersion,
  streamInfo,
  type DesiredStagelet,
  type OrderMessage,
  type OnDemandOrder,
  type StreamMessage,
  type StreamRequest,
} from '../../../../src/protocol/messages.ts'
import { renderLine } from '../../../../src/protocol/ndjson.ts'
import {
  isHeartbeatBy,
  heartbeatKeyOf,
  type Heartbeat,
} from '../../../../src/protocol/heartbeat.ts'
import type { Origin, Store } from '../../../../src/store/store.ts'
import { agentKeyOf } from '../../../../src/protocol/agent-key.ts'
import type { AgentRoutesDeps, RegisteredAgent, Tuning } from '../deps.ts'
import { renderBundle, type ItemReader } from './desired.ts'
import type { OrderResult } from '../../../orders/order-result.ts'
import { HeldBundles } from './held-bundles.ts'

export interface AgentStreamDeps extends Pick<AgentRoutesDeps, 'identity'> {
  /** Name of this replica. */
  readonly replica: string
  readonly readItem: ItemReader
  readonly open: (
    item: DesiredStagelet,
    to: Pick<AgentStream, 'agentKey' | 'keys' | 'from'>,
  ) => ReturnType<Store['openSet']>
  /** Asks for a flush() soon. */
  readonly schedule: (session: AgentStream) => void
  /** Asks for a stagelet again later, after a fault. */
  readonly retry: (session: AgentStream, uid: string) => void
  readonly log: Logger
}

export interface NewStream {
  readonly res: ServerResponse
  readonly agentUid: string
  readonly agent: RegisteredAgent
  /** Id of this stream in the table of connections. */
  readonly connection: string
  readonly request: StreamRequest
  /** Proof of the request: see streamInfo. */
  readonly proof: string
  readonly from: Origin
}

type StreamTimes = Pick<Tuning, 'keepAliveMs' | 'signMs'> & { readonly spreadMs: number }

export class AgentStream {
  readonly agentUid: string
  readonly agentKey: string
  /** Where the request came from that opened the stream. */
  readonly from: Origin
  /** Id of this stream in the table of connections. */
  readonly connection: string
  /** Boot id of the agent. */
  readonly boot: string
  /** The key that the agent had when it connected. */
  readonly ed25519: string
  /** Fingerprint of its keys at that time. */
  readonly keys: string
  readonly #deps: AgentStreamDeps
  readonly #res: ServerResponse
  readonly #sealer: Sealer
  readonly #dirty = new Set<string>()
  readonly #holds: HeldBundles
  /** Last item sent, by stagelet. */
  readonly #sent = new Map<string, DesiredStagelet>()
  /** Fingerprint in the Agent's status that this stream was last checked against. */
  keysSeen: string | undefined
  /** Looks at this stream since the last heartbeat. */
  silentChecks = 0
  /** Time of the last heartbeat; at first, of the opening. */
  heardAt = 0
  /** The stream was cut, as no heartbeat came. */
  isSilent = false
  readonly #signKey: MacKey
  readonly #knows: ReadonlySet<string>
  #lastHeartbeat = 0
  #rotationAsked = ''
  #desiredSent = false
  #busy = false
  #ended = false

  constructor(deps: AgentStreamDeps, to: NewStream) {
    this.#deps = deps
    this.#res = to.res
    this.agentUid = to.agentUid
    this.agentKey = agentKeyOf(to.agent.namespace, to.agent.name)
    this.connection = to.connection
    this.from = to.from
    this.ed25519 = to.agent.ed25519
    this.keys = keyFingerprint(to.agent)
    this.keysSeen = this.keys
    const { controllerId, x25519 } = deps.identity
    const { boot, holds, knows = [] } = to.request
    this.boot = boot
    this.#knows = new Set(['logs', ...knows])
    this.#sealer = createSealer({
      recipient: publicKeyFromRaw('X25519', Buffer.from(to.agent.x25519, 'base64url')),
      info: streamInfo({ controllerId, agentUid: to.agentUid, boot, proof: to.proof }),
      sender: x25519,
    })
    this.#signKey = heartbeatKeyOf(this.#sealer)
    this.#holds = new HeldBundles(holds)
    this.#res.on('drain', () => deps.schedule(this))
  }

  /** Sends the head and `hello`. `uids` are the agent's stagelets. */
  start({ keepAliveMs, spreadMs, signMs }: StreamTimes, uids: Iterable<string>): void {
    this.#res.writeHead(200, {
      'Content-Type': 'application/x-ndjson',
      'Cache-Control': 'no-store',
      // Proxies must pass each line on at once.
      'X-Accel-Buffering': 'no',
      Connection: 'close',
    })
    this.#write({
      type: 'hello',
      protocol: protocolVersion,
      controllerId: this.#deps.identity.controllerId,
      agentUid: this.agentUid,
      enc: this.#sealer.enc.toString('base64url'),
      stream: `${this.#deps.replica}.${this.connection}`,
      keepAliveMs,
      spreadMs,
      signMs,
    })
    for (const uid of uids) this.#dirty.add(uid)
    this.#deps.schedule(this)
  }

  get ended(): boolean {
    return this.#ended
  }

  markDirty(uid: string): void {
    if (this.#ended) return
    this.#dirty.add(uid)
    this.#deps.schedule(this)
  }

  /** Sends all that waits, until the connection is full. Never runs twice at a time. */
  async flush(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      while (!this.#ended && !this.#res.writableNeedDrain) {
        const [uid] = this.#dirty
        if (uid !== undefined) {
          this.#dirty.delete(uid)
          await this.#sendOne(uid)
        } else if (this.#desiredSent) {
          return
        } else {
          this.#desiredSent = true
          this.#order({ type: 'desired', items: [...this.#sent.values()] })
        }
      }
    } finally {
      this.#busy = false
    }
  }

  async #sendOne(uid: string): Promise<void> {
    const found = await this.#deps.readItem(uid, this.agentKey)
    if (found === undefined) {
      this.#holds.drop(uid)
      if (this.#sent.delete(uid) && this.#desiredSent) this.#order({ type: 'removed', uid })
      return
    }
    const item = asKnown(found, this.#knows)
    for (const revision of item.release === undefined ? namedRevisions(item) : [])
      await this.#sendBundle({ ...item, revision }, revision === item.revision)
    const before = this.#sent.get(uid)
    if (before !== undefined && sameJson(before, item, ['order'])) return
    this.#sent.set(uid, item)
    this.#holds.forgetDropped(item)
    if (this.#desiredSent) this.#order({ type: 'stagelet', item })
  }

  async #sendBundle(item: DesiredStagelet, isTarget: boolean): Promise<void> {
    if (this.#holds.has(item)) return
    let opened: Awaited<ReturnType<Store['openSet']>>
    try {
      opened = await this.#deps.open(item, this)
    } catch (error) {
      // Retention has dropped it: there is one revision less to go back to.
      if (item.revision === item.previousRevision && isReason(error, 'NotFound')) return
      // The item is sent without this bundle: the agent goes on with the revision that it has.
      const { uid: stagelet, revision } = item
      this.#deps.log.error({ err: error, stagelet, revision }, 'cannot open a set for its agent')
      if (isTarget) this.#deps.retry(this, stagelet)
      return
    }
    if (this.#ended) return
    const plaintext = Buffer.from(JSON.stringify(renderBundle(opened, item.name)))
    const bound = {
      projectUid: item.projectUid,
      stageletUid: item.uid,
      epoch: item.epoch,
      revision: item.revision,
    }
    const { seq } = this.#sealer
    const sealed = this.#sealer.seal(bundleAad({ ...bound, agentUid: this.agentUid }), plaintext)
    plaintext.fill(0)
    this.#holds.add(item)
    this.#write({ type: 'bundle', seq, ...bound, ciphertext: sealed.toString('base64') })
  }

  /** Asks to read logs. The next stream does not repeat that. */
  ask(order: OnDemandOrder): OrderResult {
    if (!this.#knows.has(order.type)) return 'tooOld'
    this.#order(order)
    return this.#ended ? 'away' : 'asked'
  }

  /** Asks once for each request. The next stream asks again while the agent has not followed. */
  askForNewKeys(request: string): void {
    if (this.#rotationAsked === request) return
    this.#rotationAsked = request
    this.#order({ type: 'rotateKeys', request })
  }

  /** False where this stream's agent has not signed the heartbeat, or a later one came before. */
  takeHeartbeat(heartbeat: Heartbeat, now: number): boolean {
    if (heartbeat.counter <= this.#lastHeartbeat || !isHeartbeatBy(this.#signKey, heartbeat))
      return false
    this.#lastHeartbeat = heartbeat.counter
    this.heardAt = now
    this.silentChecks = 0
    return true
  }

  /** Cuts a stream without a last message, as nobody reads it. */
  cutSilent(): void {
    this.isSilent = true
    this.#res.destroy()
  }

  keepAlive(): void {
    if (!this.#ended && !this.#res.writableNeedDrain) this.#res.write('\n')
  }

  /** Sends a last message and ends the stream. An agent that does not read is cut after `patienceMs`. */
  end(message: StreamMessage, patienceMs: number): Promise<void> {
    if (this.#ended) return Promise.resolve()
    this.#ended = true
    return new Promise((resolve) => {
      const { socket } = this.#res
      const cut = setTimeout(() => socket?.destroy(), patienceMs)
      this.#res.once('close', () => {
        clearTimeout(cut)
        resolve()
      })
      this.#res.end(renderLine(message))
    })
  }

  /** To be called when the connection is closed. */
  closed(): void {
    this.#ended = true
    this.#dirty.clear()
  }

  #order(message: OrderMessage): void {
    if (this.#ended) return
    const { seq } = this.#sealer
    const plaintext = Buffer.from(JSON.stringify(message))
    const ciphertext = this.#sealer.seal(orderAad(this.agentUid), plaintext).toString('base64')
    this.#write({ type: 'order', seq, ciphertext })
  }

  #write(message: StreamMessage): void {
    if (!this.#ended) this.#res.write(renderLine(message))
  }
}
