// An agent that opens all that a controller sends it, and keeps it as it came: fields that a real agent drops are there.
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'
import { createControllerClient } from '../../../agent/link/controller-client.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { authorizeHeartbeat, heartbeatKeyOf } from '../../../src/protocol/heartbeat.ts'
import { createOpener, type Opener } from '../../../src/protocol/hpke.ts'
import {
  agentPaths,
  bundleAad,
  knownToAgent,
  orderAad,
  protocolVersion,
  streamInfo,
  type DesiredStagelet,
} from '../../../src/protocol/messages.ts'
import { passes } from '../eventually.ts'

interface Line {
  readonly type: string
  readonly ciphertext?: string
  readonly enc?: string
  readonly stream?: string
}

/** A line of the stream, or what was sealed in it. */
interface Told {
  readonly message: string
  readonly text: string
}

export interface OpeningAgent {
  readonly boot: string
  /** All that it was told by messages of this name, once there is one for which `isIt` holds. */
  told(message: string, isIt?: (text: string) => boolean): Promise<string>
  /** What it was told last of this stagelet: in the whole desired state, or alone, if the stagelet changed later. */
  ordered(name: string): Promise<DesiredStagelet>
  /** Posts to the controller, or to the one at `url`; what comes back, opened, or how it was refused. */
  post(path: string, body: object, url?: string): Promise<string>
  /** Sends a heartbeat to the controller at `url`. */
  heartbeat(url: string): Promise<void>
  stop(): Promise<void>
}

/** What it may report of a stagelet that it was told to run; with other fields where these are given. */
export const observationOf = (item: DesiredStagelet, more: object = {}): object => ({
  stageletUid: item.uid,
  generation: item.generation,
  projectUid: item.projectUid,
  epoch: item.epoch,
  revision: item.revision,
  phase: 'Settled',
  services: [],
  passed: {},
  pendingEdits: [],
  missingVariables: [],
  ...more,
})

export const startOpeningAgent = async (
  identity: AgentIdentity,
  at: string,
  onOrder: (order: Readonly<Record<string, unknown>>) => void,
  says: object = {},
): Promise<OpeningAgent> => {
  const { agentUid, controllerId, ca } = identity
  const boot = randomUUID()
  const signer = createRequestSigner(identity, realClock)
  const clients = new Map<string, ReturnType<typeof createControllerClient>>()
  const clientOf = (url: string): ReturnType<typeof createControllerClient> => {
    const client = clients.get(url) ?? createControllerClient({ url, ca }, signer)
    clients.set(url, client)
    return client
  }
  const ending = new AbortController()
  const opening = {
    protocol: protocolVersion,
    boot,
    version: '0.0.1',
    now: Date.now(),
    holds: [],
    knows: knownToAgent,
    ...says,
  }
  const { response, proof } = await clientOf(at).open({
    path: agentPaths.stream,
    body: opening,
    signal: ending.signal,
  })
  const all: Told[] = []
  let opener: Opener | undefined
  let stream = ''
  let beats = 0
  let fault: Error | undefined
  const openLine = (line: Line): Buffer | undefined => {
    if (line.type === 'hello') {
      stream = line.stream!
      const info = streamInfo({ controllerId, agentUid, boot, proof })
      const enc = Buffer.from(line.enc!, 'base64url')
      const [recipient, sender] = [identity.x25519, identity.controllerX25519]
      opener = createOpener({ recipient, enc, info, sender })
    }
    if (line.ciphertext === undefined) return undefined
    const aad =
      line.type === 'order'
        ? orderAad(agentUid)
        : bundleAad({ ...(line as unknown as Parameters<typeof bundleAad>[0]), agentUid })
    return opener!.open(aad, Buffer.from(line.ciphertext, 'base64'))
  }
  const take = (text: string): void => {
    const line = JSON.parse(text) as Line
    const plain = openLine(line)?.toString('utf8')
    // The line of a bundle and what is sealed in it have one name.
    if (line.type !== 'bundle') all.push({ message: line.type, text })
    if (plain === undefined) return
    if (line.type === 'bundle') {
      all.push({ message: 'bundle', text: `${text}\n${plain}` })
      return
    }
    const order = JSON.parse(plain) as { readonly type: string }
    all.push({ message: order.type, text: plain })
    onOrder({ ...order })
  }
  const reading = (async () => {
    for await (const text of createInterface({ input: response })) if (text !== '') take(text)
    throw new Error('the stream has ended')
  })().catch((error: unknown) => {
    fault = error as Error
  })
  const heartbeat = async (url: string): Promise<void> => {
    beats += 1
    const header = authorizeHeartbeat(heartbeatKeyOf(opener!), stream, beats)
    await clientOf(url).heartbeat(header, ending.signal)
  }
  const beating = setInterval(() => {
    if (opener !== undefined) heartbeat(at).catch(() => undefined)
  }, 3000)
  const orderedNow = (name: string): DesiredStagelet | undefined =>
    all
      .flatMap(({ message, text }): DesiredStagelet[] => {
        if (message === 'desired') return (JSON.parse(text) as { items: DesiredStagelet[] }).items
        if (message !== 'stagelet') return []
        return [(JSON.parse(text) as { item: DesiredStagelet }).item]
      })
      .findLast((item) => item.name === name)
  const arrives = async (isHere: () => boolean): Promise<void> => {
    await passes(() => fault !== undefined || isHere())
    if (!isHere()) throw fault!
  }
  return {
    boot,
    heartbeat,
    told: async (message, isIt = () => true) => {
      const own = (): string[] => all.flatMap((one) => (one.message === message ? [one.text] : []))
      await arrives(() => own().some(isIt))
      return own().join('\n')
    },
    ordered: async (name) => {
      await arrives(() => orderedNow(name) !== undefined)
      return orderedNow(name)!
    },
    post: (path, body, url = at) =>
      clientOf(url)
        .post({ path, body })
        .then((answer) => JSON.stringify(answer))
        .catch((error: unknown) => `${String(error)} ${JSON.stringify(error)}`),
    stop: async () => {
      clearInterval(beating)
      ending.abort()
      for (const client of clients.values()) client.close()
      await reading
    },
  }
}
