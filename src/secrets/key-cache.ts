// Unwrapped keys in memory, for a bounded time. Each is a KeyObject: its bytes lie outside the heap
// and are wiped when it is freed, and a write that still holds one can never find it zeroed under
// its hands and seal with a key of zeros. The buffer that it came in is wiped at once.
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'

export interface KeyCacheOptions {
  readonly clock: Clock
  /** A key that is used after this is asked for anew, beside the use. Default 5 minutes. */
  readonly refreshMs?: number
  /** No key is kept longer without the provider's yes. Default 1 hour. */
  readonly keepMs?: number
  /** How many; the one longest unused goes first. Default 20,000. */
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

  /** How many keys are in memory. */
  get size(): number {
    return this.#entries.size
  }

  /** The key of this id; `unwrap` is asked where it is not known, and now and then where it is. */
  get(id: string, unwrap: () => Promise<Buffer>): Promise<KeyObject> {
    const now = this.#clock.now()
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.dropAt <= now) return this.#load(id, unwrap)
    this.#entries.delete(id)
    this.#entries.set(id, entry)
    if (entry.refreshAt <= now) {
      // While the provider is down the key stays, up to its end, and is asked for again later.
      entry.refreshAt = now + Math.min(retryMs, this.#refreshMs)
      this.#load(id, unwrap).catch(() => undefined)
    }
    return Promise.resolve(entry.key)
  }

  /** Forgets what is past its time, used or not. */
  sweep(): void {
    const now = this.#clock.now()
    for (const [id, entry] of this.#entries) if (entry.dropAt <= now) this.#entries.delete(id)
  }

  clear(): void {
    this.#entries.clear()
  }

  #load(id: string, unwrap: () => Promise<Buffer>): Promise<KeyObject> {
    const known = this.#loading.get(id)
    if (known !== undefined) return known
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
