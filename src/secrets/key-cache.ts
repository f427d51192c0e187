// A cache of unwrapped keys, for a limited time. Each key is a KeyObject: its bytes are outside the
// heap and are wiped when it is freed. A write that still uses one never finds it zeroed. The buffer
// that the provider returned is wiped at once.
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'

export interface KeyCacheOptions {
  readonly clock: Clock
  /** A key that is used after this time is requested again, in the background. Default 5 minutes. */
  readonly refreshMs?: number
  /** A key is removed after this time without the provider's consent. Default 1 hour. */
  readonly keepMs?: number
  /** Maximum number of keys; the least recently used one is removed first. Default 20,000. */
  readonly max?: number
}

interface Entry {
  readonly key: KeyObject
  refreshAt: number
  readonly dropAt: number
}

const retryMs = 10_000

export class KeyCache {
  readonly #clock: Clock
  readonly #refreshMs: number
  readonly #keepMs: number
  readonly #max: number
  /** In order of use. */
  readonly #entries = new Map<string, Entry>()
  readonly #loading = new Map<string, Promise<KeyObject>>()

  constructor({ clock, refreshMs = 300_000, keepMs = 3_600_000, max = 20_000 }: KeyCacheOptions) {
    this.#clock = clock
    this.#refreshMs = Math.min(refreshMs, keepMs)
    this.#keepMs = keepMs
    this.#max = max
  }

  /** Number of keys in memory. */
  get size(): number {
    return this.#entries.size
  }

  /** The key of this id, at once where it is cached. Calls `unwrap` when it is not, and now and then when it is. */
  get(id: string, unwrap: () => Promise<Buffer>): KeyObject | Promise<KeyObject> {
    const now = this.#clock.now()
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.dropAt <= now) return this.#load(id, unwrap)
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    if (entry.refreshAt <= now) {
      // While the provider is down, the key stays until it expires, and is requested again later.
      entry.refreshAt = now + Math.min(retryMs, this.#refreshMs)
      this.#load(id, unwrap).catch(() => undefined)
    }
    return entry.key
  }

  /** Removes expired keys. */
  sweep(): void {
    const now = this.#clock.now()
    for (const [id, entry] of this.#entries) if (entry.dropAt <= now) this.#entries.delete(id)
  }

  clear(): void {
    this.#entries.clear()
  }

  #load(id: string, unwrap: () => Promise<Buffer>): Promise<KeyObject> {
    const pending = this.#loading.get(id)
    if (pending !== undefined) return pending
    const loading = this.#unwrap(id, unwrap).finally(() => this.#loading.delete(id))
    this.#loading.set(id, loading)
    return loading
  }

  async #unwrap(id: string, unwrap: () => Promise<Buffer>): Promise<KeyObject> {
    const bytes = await unwrap()
    const key = createSecretKey(bytes)
    bytes.fill(0)
    const now = this.#clock.now()
    this.#entries.delete(id)
    this.#entries.set(id, { key, refreshAt: now + this.#refreshMs, dropAt: now + this.#keepMs })
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.#max) break
      this.#entries.delete(oldest)
    }
    return key
  }
}
