// Work that a write needs and may not do itself: to make an RSA key, to ask a key service, to read the database. All
// writers wait for the write that runs. So the write ends without effect, the work is done outside of it, and the write
// runs again with the result. A write that needs statements of its own runs again in a transaction.
import { setImmediate } from 'node:timers/promises'
import type { ProjectKeys } from '../../secrets/project-keys.ts'

/** Ends a run of the write, which will run again. Callers of the store never see it. */
class RunAgain extends Error {}

interface Work {
  readonly name: string
  readonly run: () => unknown
}

export class DeferredWork {
  /** The write runs in a transaction that holds the counter row. */
  isLocked = false
  readonly #results = new Map<string, unknown>()
  #isRunning = false
  #wanted: Work | undefined

  /** The write has to run again after run(), also where it has caught the error of result(). */
  get isWanted(): boolean {
    return this.#wanted !== undefined
  }

  /**
   * The result of the work with this name, which must name the same work in each run of the write. Throws RunAgain where
   * the work is not done yet.
   */
  result<T>(name: string, run: () => Promise<T>): T {
    if (this.#results.has(name)) return this.#results.get(name) as T
    return this.#defer({ name, run })
  }

  /**
   * The answer of `ask`. An answer that needs no I/O is awaited in place; any other one is deferred, as in result(). Within
   * run() it is always awaited.
   */
  async answer<T>(name: string, ask: () => T | Promise<T>): Promise<T> {
    if (this.#isRunning) return ask()
    if (this.#results.has(name)) return this.#results.get(name) as T
    const asked = ask()
    if (!(asked instanceof Promise)) return asked
    const answered = asked.then(
      () => true,
      () => true,
    )
    if (await Promise.race([answered, setImmediate(false)])) return asked
    return this.result(name, () => asked)
  }

  /** Ends the run of a write that needs a transaction. */
  needTransaction(): never {
    return this.#defer({ name: 'transaction', run: () => (this.isLocked = true) })
  }

  /** Does the work that was wanted; rejects as the work does. */
  async run(): Promise<void> {
    const wanted = this.#wanted
    this.#wanted = undefined
    if (wanted === undefined) return
    this.#isRunning = true
    try {
      this.#results.set(wanted.name, await wanted.run())
    } finally {
      this.#isRunning = false
    }
  }

  #defer(work: Work): never {
    this.#wanted ??= work
    throw new RunAgain(work.name)
  }
}

/** The keys for a write: a key that a key service has to unwrap is waited for outside of the write. */
export const deferredKeys = (keys: ProjectKeys, deferred: DeferredWork): ProjectKeys => ({
  dataKey: (projectUid, id, wrapped) =>
    deferred.answer(`data key ${id}`, () => keys.dataKey(projectUid, id, wrapped)),
  digestKey: (projectUid, wrapped) =>
    deferred.answer(`digest key ${wrapped}`, () => keys.digestKey(projectUid, wrapped)),
})
