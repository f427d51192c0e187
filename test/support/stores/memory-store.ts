// A store of secrets in memory, whose answers and faults a test chooses. Counts calls as a paid one would.
import {
  StoreFault,
  type Absence,
  type Fetched,
  type Found,
  type NotificationQueue,
  type VersionsRead,
  type ProviderLimits,
  type QueueFault,
  type Ref,
  type StoreProvider,
} from '../../../controller/stores/provider.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { OpenStore, ProviderOpener } from '../../../controller/stores/connection.ts'

export interface MemoryStore {
  readonly open: ProviderOpener
  /** Key → value; versions are counted. */
  put(key: string, value: string | Buffer): void
  /** The version that is there ends then; undefined: never. */
  end(key: string, expiresAt: string | undefined): void
  remove(key: string): void
  forbid(key: string): void
  /** Looks say nothing of the key, as a list that lags. */
  omit(key: string): void
  /** What the next call, and each after it, throws; undefined: none. */
  fail(fault: (() => Error) | undefined): void
  /** Waited for in each fetch, with what it has read. */
  holdFetch: (() => Promise<void>) | undefined
  limits: ProviderLimits
  /** For a store with push.sqs. */
  readonly queue: MemoryQueue
  /** What the store takes for a credential. */
  credential: string
  readonly calls: { whoAmI: number; look: number; fetch: number }
  /** Each fetched ref, in turn. */
  readonly fetched: string[]
  /** When (by the clock of the test) calls were made. */
  readonly at: number[]
}

export interface MemoryQueue extends NotificationQueue {
  /** A message that names these keys; none: it is no notification. */
  send(...keys: string[]): void
  /** How many messages are in the queue. */
  readonly length: number
  fault: QueueFault | undefined
  /** How often it was asked. */
  asked: number
}

const createMemoryQueue = (): MemoryQueue => {
  const messages: string[][] = []
  let onSent = (): void => undefined
  const queue: MemoryQueue = {
    fault: undefined,
    asked: 0,
    get length() {
      return messages.length
    },
    send: (...keys) => {
      messages.push(keys)
      onSent()
    },
    receive: async (signal) => {
      queue.asked += 1
      if (queue.fault !== undefined) throw queue.fault
      if (messages.length === 0)
        await new Promise<void>((resolve, reject) => {
          onSent = resolve
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error)
          })
        })
      const foreignMessages = messages.filter((keys) => keys.length === 0).length
      return { keys: messages.flat(), receipts: messages.map((_, i) => String(i)), foreignMessages }
    },
    discard: ({ receipts }) => {
      messages.splice(0, receipts.length)
      return Promise.resolve()
    },
  }
  return queue
}

interface Kept {
  readonly version: string
  readonly value: Buffer
  readonly expiresAt?: string
}

export const createMemoryStore = (now: () => number): MemoryStore => {
  const kept = new Map<string, Kept | 'forbidden'>()
  const omitted = new Set<string>()
  let count = 0
  let fault: (() => Error) | undefined
  const calls = { whoAmI: 0, look: 0, fetch: 0 }
  const fetched: string[] = []
  const at: number[] = []
  const store: MemoryStore = {
    put: (key, value) => {
      kept.set(key, { version: `v${++count}`, value: Buffer.from(value) })
    },
    end: (key, expiresAt) => {
      const { version, value } = kept.get(key) as Kept
      kept.set(key, { version, value, ...defined({ expiresAt }) })
    },
    remove: (key) => {
      kept.delete(key)
    },
    forbid: (key) => {
      kept.set(key, 'forbidden')
    },
    omit: (key) => {
      omitted.add(key)
    },
    fail: (next) => {
      fault = next
    },
    holdFetch: undefined,
    queue: createMemoryQueue(),
    credential: 'good-token',
    limits: { batch: 20, perMinute: 1000, parallel: 4 },
    calls,
    fetched,
    at,
    open: (given) => Promise.resolve(providerOf(given)),
  }

  const providerOf = ({ spec, credential, spend }: OpenStore): StoreProvider => {
    const call = async (name: keyof typeof calls, signal: AbortSignal): Promise<void> => {
      await spend(signal)
      calls[name] += 1
      at.push(now())
      if (fault !== undefined) throw fault()
      if (credential !== store.credential)
        throw new StoreFault('Unauthorized', 'the store does not know the token')
    }
    const seen = ({ key }: Ref): Found | Absence => {
      const one = kept.get(key)
      if (one === undefined) return { absent: 'missing' }
      if (one === 'forbidden') return { absent: 'forbidden' }
      const { value: _, ...found } = one
      return found
    }
    return {
      get limits() {
        return store.limits
      },
      whoAmI: async (signal) => {
        await call('whoAmI', signal)
        return 'reader'
      },
      // A list of 100 secrets a page.
      readVersions: async (refs, _, signal): Promise<VersionsRead> => {
        for (let page = 0; page < Math.max(1, refs.length); page += 100) await call('look', signal)
        const told = refs.filter(({ key }) => !omitted.has(key))
        return { versions: new Map(told.map((ref) => [ref, seen(ref)])), lagMs: 5_000 }
      },
      fetch: async (refs, signal) => {
        await call('fetch', signal)
        const answers = refs.map((ref): [Ref, Fetched | Absence] => {
          const one = kept.get(ref.key)
          return one === undefined || one === 'forbidden'
            ? [ref, seen(ref) as Absence]
            : [ref, { ...one, value: Buffer.from(one.value) }]
        })
        await store.holdFetch?.()
        signal.throwIfAborted()
        fetched.push(...refs.map(({ key }) => key))
        return new Map(answers)
      },
      ...(spec.push?.sqs === undefined ? {} : { notifications: store.queue }),
      list: () => Promise.resolve({ keys: [...kept.keys()].sort(), isCut: false }),
      close: () => Promise.resolve(),
    }
  }
  return store
}
