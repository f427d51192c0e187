// Slow work that a write needs: an RSA key, an answer of a key service, a read of the database. All writers wait for the
// write that runs. So the slow work is done outside of the write: the write ends without effect, and is run again with
// the result.
import { setImmediate } from 'node:timers/promises'
import type { ProjectKeys } from '../../secrets/project-keys.ts'

/** Ends a run of the write. Callers of the store never see it. */
class NotPrepared extends Error {}

export class Preparations {
  readonly #made = new Map<string, unknown>()
  #isMaking = false
  #wanted: { readonly name: string; readonly make: () => Promise<unknown> } | undefined

  /** The write must be run again after make(), also where it has caught the error of take(). */
  get isMissing(): boolean {
    return this.#wanted !== undefined
  }

  /**
   * The result of the work with this name, which must name the same work in each run of the write. Throws NotPrepared
   * where the work is not done yet.
   */
  take<T>(name: string, make: () => Promise<T>): T {
    if (this.#made.has(name)) return this.#made.get(name) as T
    this.#wanted ??= { name, make }
    throw new NotPrepared(name)
  }

  /**
   * The answer of `ask`. An answer that needs no I/O is awaited in place; for any other one the write ends, as in
   * take(). Within make() it is always awaited.
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

  /** Does the work that was missing; rejects as the work does. */
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

/** The keys for a write: a key that a key service has to unwrap is waited for outside of the write. */
export const preparedKeys = (keys: ProjectKeys, preparations: Preparations): ProjectKeys => ({
  dataKey: (projectUid, id, wrapped) =>
    preparations.soon(`data key ${id}`, () => keys.dataKey(projectUid, id, wrapped)),
  digestKey: (projectUid, wrapped) =>
    preparations.soon(`digest key ${wrapped}`, () => keys.digestKey(projectUid, wrapped)),
})
