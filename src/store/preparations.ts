// What a write needs and takes long to get: an RSA key, an answer of a key service. Every writer waits
// for the one that holds the counter row, so it is made while nobody holds it: the write is taken
// back, and begun anew with what was made.

import { setImmediate } from 'node:timers/promises'

/** Never seen by callers of the store. */
class NotPrepared extends Error {}

export class Preparations {
  readonly #made = new Map<string, unknown>()
  #isMaking = false
  #wanted: { readonly name: string; readonly make: () => Promise<unknown> } | undefined

  /** The write cannot end before make(). Also where what take() threw was caught on the way. */
  get wanting(): boolean {
    return this.#wanted !== undefined
  }

  /**
   * What was made under this name. A name means the same at each beginning of the write. Throws,
   * where it is not made yet, what ends this attempt.
   */
  take<T>(name: string, make: () => Promise<T>): T {
    if (this.#made.has(name)) return this.#made.get(name) as T
    this.#wanted ??= { name, make }
    throw new NotPrepared(name)
  }

  /**
   * What `ask` answers. An answer that is here at once, or after a computation, is
   * awaited in place; for any other one the write gives way, as in take(). What is being made waits for it.
   */
  async soon<T>(name: string, ask: () => T | Promise<T>): Promise<T> {
    if (this.#isMaking) return ask()
    if (this.#made.has(name)) return this.#made.get(name) as T
    const asked = ask()
    if (!(asked instanceof Promise)) return asked
    const answered = asked.then(
      () => true,
      () => true,
    )
    if (await Promise.race([answered, setImmediate(false)])) return asked
    return this.take(name, () => asked)
  }

  /** Makes what was wanted; rejects as its maker does. */
  async make(): Promise<void> {
    const wanted = this.#wanted
    this.#wanted = undefined
    if (wanted === undefined) return
    this.#isMaking = true
    try {
      this.#made.set(wanted.name, await wanted.make())
    } finally {
      this.#isMaking = false
    }
  }
}
