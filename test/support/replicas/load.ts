// Writers that go on whatever happens, and a watcher that must see everything that was acknowledged.
import { setMaxListeners } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createLineReader } from '../../../src/protocol/ndjson.ts'
import { namespaced, type Client } from './client.ts'
import { soak } from '../soak.ts'
import { sleep } from './fleet.ts'

export interface Load {
  /** Newest number that each writer has an answer for. */
  readonly acknowledged: readonly number[]
  /** How it went until now. */
  summary(): string
  /** Resolves when each writer rests, with an answer for its last write. */
  pause(): Promise<void>
  resume(): void
  stop(): Promise<void>
}

/** Of each writer after each write, ms. */
const pauseMs = (): number => soak(2_000, 50)

/** Each writer writes 1, 2, 3 … to an object of its own, and looks whether what got no answer is there. */
export const startLoad = async (client: Client, writers: number): Promise<Load> => {
  const acknowledged = Array.from({ length: writers }, () => 0)
  const failures = new Map<string, number>()
  let state: 'running' | 'paused' | 'stopped' = 'running'
  let busy = 0
  const pause = pauseMs()
  const create = (
    resource: string,
    kind: string,
    metadata: object,
    spec: object,
  ): Promise<unknown> =>
    client.must('POST', `${namespaced}/${resource}`, {
      apiVersion: 'stagely.dev/v1alpha1',
      kind,
      metadata,
      spec,
    })
  const is = (wanted: typeof state): boolean => state === wanted

  /**
   * Bound to the version that was read: a request that a paused replica or a cut line held back is
   * refused when it comes through at last, where without that it would bring an old number back.
   */
  const writeNext = async (writer: number): Promise<void> => {
    const n = acknowledged[writer]! + 1
    const path = `${namespaced}/stagelysecrets/load-${writer}`
    const attempt = async (): Promise<string> => {
      const { status, text } = await client.call('GET', path)
      if (status !== 200) return String(status)
      const { resourceVersion, annotations } = (JSON.parse(text) as WatchLine['object']).metadata
      if (annotations?.['n'] === String(n)) return 'done'
      const metadata = { resourceVersion, annotations: { n: String(n) } }
      const reply = await client.call('PATCH', path, { metadata, spec: { value: `value-${n}` } })
      return reply.status === 200 ? 'done' : String(reply.status)
    }
    while (!is('stopped')) {
      const outcome = await attempt().catch(
        (error: unknown) => (error as { code?: string }).code ?? 'no answer',
      )
      if (outcome === 'done') {
        acknowledged[writer] = n
        return
      }
      failures.set(outcome, (failures.get(outcome) ?? 0) + 1)
      await sleep(outcome === '409' ? 10 : 300)
    }
  }
  const run = async (writer: number): Promise<void> => {
    while (!is('stopped')) {
      if (is('running')) {
        busy += 1
        await writeNext(writer)
        busy -= 1
      }
      await sleep(pause)
    }
  }

  await create('projects', 'Project', { name: 'load' }, {})
  for (let i = 0; i < writers; i++)
    await create(
      'stagelysecrets',
      'StagelySecret',
      { name: `load-${i}`, annotations: { n: '0' } },
      { projectRef: { name: 'load' }, key: `LOAD_${i}`, scope: 'app', value: 'value-0' },
    )
  const running = Promise.all(acknowledged.map((_, writer) => run(writer)))
  return {
    acknowledged,
    summary: () => {
      const failed = [...failures].map(([status, times]) => `${times} × ${status}`).join(', ')
      return `${acknowledged.reduce((a, b) => a + b, 0)} writes, tried again: ${failed || 'none'}`
    },
    pause: async () => {
      state = 'paused'
      while (busy > 0) await sleep(10)
    },
    resume: () => {
      state = 'running'
    },
    stop: async () => {
      state = 'stopped'
      await running
    },
  }
}

export interface Watcher {
  /** Numbers seen of each writer, in the order in which they came. */
  readonly seen: ReadonlyMap<string, readonly number[]>
  /** What must not happen: a version that came late or twice, a watch that had to begin anew. */
  readonly faults: readonly string[]
  /** Agents that were told of as not ready, each time. */
  readonly notReady: readonly string[]
  readonly reconnects: number
  stop(): Promise<void>
}

interface WatchLine {
  readonly type: string
  readonly object: {
    readonly metadata: {
      readonly name: string
      readonly resourceVersion: string
      readonly annotations?: Record<string, string>
    }
    readonly status?: { conditions?: { type: string; status: string }[] }
  }
}

const versionOf = async (client: Client, resource: string): Promise<string> => {
  const path = `${namespaced}/${resource}`
  return (await client.must<{ metadata: { resourceVersion: string } }>('GET', path)).metadata
    .resourceVersion
}

/** Follows `resource` over broken connections, as an informer does. */
const follow = async (
  client: Client,
  resource: string,
  onLine: (line: WatchLine) => void,
  at: { readonly after: string; readonly signal: AbortSignal; readonly onBroken: () => void },
): Promise<void> => {
  const { signal } = at
  let version = at.after
  const read = async (response: IncomingMessage): Promise<void> => {
    const reader = createLineReader(1 << 22, (text) => {
      const line = JSON.parse(text) as WatchLine
      version = line.object.metadata?.resourceVersion ?? version
      onLine(line)
    })
    for await (const chunk of response as AsyncIterable<Buffer>) reader(chunk)
  }
  while (!signal.aborted) {
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${version}`
    await client
      .open(`${namespaced}/${resource}?${query}`, signal)
      .then(read)
      .catch(() => undefined)
    if (signal.aborted) return
    at.onBroken()
    await sleep(100)
  }
}

export const startWatcher = async (client: Client): Promise<Watcher> => {
  const seen = new Map<string, number[]>()
  const faults: string[] = []
  const notReady: string[] = []
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  let newest = 0
  const watcher = { seen, faults, notReady, reconnects: 0 }
  const onBroken = (): void => {
    watcher.reconnects += 1
  }
  const onSecret = ({ type, object }: WatchLine): void => {
    if (type === 'ERROR') faults.push(JSON.stringify(object))
    const { name, resourceVersion, annotations } = object.metadata ?? {}
    if (Number(resourceVersion) < newest) faults.push(`${name}: ${resourceVersion} after ${newest}`)
    newest = Math.max(newest, Number(resourceVersion))
    const n = Number(annotations?.['n'] ?? NaN)
    if (type === 'BOOKMARK' || Number.isNaN(n) || n === 0) return
    const numbers = seen.get(name) ?? []
    // A status of the same number is no news.
    if (numbers.at(-1) !== n) numbers.push(n)
    seen.set(name, numbers)
  }
  const onAgent = ({ type, object }: WatchLine): void => {
    if (type === 'ERROR') faults.push(JSON.stringify(object))
    const ready = object.status?.conditions?.find((c) => c.type === 'Ready')
    if (ready !== undefined && ready.status !== 'True') notReady.push(object.metadata.name)
  }
  const at = { after: await versionOf(client, 'agents'), signal: ending.signal, onBroken }
  const following = Promise.all([
    follow(client, 'stagelysecrets', onSecret, at),
    follow(client, 'agents', onAgent, at),
  ])
  return Object.assign(watcher, {
    stop: async () => {
      ending.abort()
      await following
    },
  })
}
