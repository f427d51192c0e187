// What the contract of providers needs of each store: where the store is, and hands that change it.
import type { ProviderSpec } from '../../../src/kinds/secret-store/providers.ts'
import type { Front } from './front.ts'

export interface Bench {
  readonly front: Front
  /** `ca` false: without the certificate that signs that of the store. */
  readonly spec: (how?: { ca?: boolean }) => ProviderSpec
  readonly credential: string
  readonly wrongCredential: string
  /** What `whoAmI` says of the credential. */
  readonly identity: string
  /** A full key of the store by a short name such as "db". */
  readonly key: (name: string) => string
  /** A new version with these fields; gives the value that a fetch brings. */
  readonly put: (key: string, fields: Record<string, string>) => Promise<string>
  readonly remove: (key: string) => Promise<void>
  /** From now on the credential may not read this key. */
  readonly forbid: (key: string) => Promise<void>
  /** Where rights are of the whole: takes back what `forbid` did. */
  readonly allowAll?: () => void
  /** How to name the version before the newest; undefined: the store has no names for versions. */
  readonly olderVersion: ((key: string) => string) | undefined
  /** A version that the store can never have had. */
  readonly noVersion: string
  readonly close: () => Promise<void>
}

/** Secrets of a stand-in, with all their versions. */
export class Shelf {
  readonly #rows = new Map<string, { values: Record<string, string>[]; isForbidden: boolean }>()

  put(key: string, fields: Record<string, string>): void {
    const row = this.#rows.get(key) ?? { values: [], isForbidden: false }
    row.values.push(fields)
    this.#rows.set(key, row)
  }

  remove(key: string): void {
    this.#rows.delete(key)
  }

  forbid(key: string): void {
    this.#rows.set(key, { values: [{ a: 'b' }], ...this.#rows.get(key), isForbidden: true })
  }

  get keys(): string[] {
    return [...this.#rows.keys()]
  }

  isForbidden(key: string): boolean {
    return this.#rows.get(key)?.isForbidden === true
  }

  /** Oldest first; undefined: there is no such secret. */
  values(key: string): Record<string, string>[] | undefined {
    return this.#rows.get(key)?.values
  }

  hands(): Pick<Bench, 'remove' | 'forbid'> {
    return {
      remove: (key) => {
        this.remove(key)
        return Promise.resolve()
      },
      forbid: (key) => {
        this.forbid(key)
        return Promise.resolve()
      },
    }
  }
}
