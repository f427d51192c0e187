// Each project has a data key (seals values; may be replaced) and a digest key (never replaced,
// so that no rotation restarts a container). Both are made with the project and stored wrapped.
import { randomBytes, randomUUID } from 'node:crypto'
import type { SealKey } from './aead.ts'
import type { KeyProvider } from './key-provider.ts'

const dataKeyContext = (projectUid: string, id: string): string =>
  `data key ${id} of project ${projectUid}`
const digestKeyContext = (projectUid: string): string => `digest key of project ${projectUid}`

export interface NewProjectKeys {
  readonly dataKey: SealKey
  readonly wrappedDataKey: string
  readonly digestKey: Buffer
  readonly wrappedDigestKey: string
}

export const createProjectKeys = async (
  provider: KeyProvider,
  projectUid: string,
): Promise<NewProjectKeys> => {
  const dataKey = { id: randomUUID(), bytes: randomBytes(32) }
  const digestKey = randomBytes(32)
  return {
    dataKey,
    wrappedDataKey: await provider.wrap(dataKey.bytes, dataKeyContext(projectUid, dataKey.id)),
    digestKey,
    wrappedDigestKey: await provider.wrap(digestKey, digestKeyContext(projectUid)),
  }
}

/** Unwraps on first use and remembers, so that a remote provider is not asked for each secret. */
export class ProjectKeyCache {
  readonly #provider: KeyProvider
  readonly #dataKeys = new Map<string, SealKey>()
  readonly #digestKeys = new Map<string, Buffer>()

  constructor(provider: KeyProvider) {
    this.#provider = provider
  }

  async dataKey(projectUid: string, id: string, wrapped: string): Promise<SealKey> {
    let key = this.#dataKeys.get(id)
    if (key === undefined) {
      key = { id, bytes: await this.#provider.unwrap(wrapped, dataKeyContext(projectUid, id)) }
      this.#dataKeys.set(id, key)
    }
    return key
  }

  async digestKey(projectUid: string, wrapped: string): Promise<Buffer> {
    // Wrapped text is the cache key: a swapped row must be unwrapped, and fail, anew.
    const cached = this.#digestKeys.get(wrapped)
    if (cached !== undefined) return cached
    const key = await this.#provider.unwrap(wrapped, digestKeyContext(projectUid))
    this.#digestKeys.set(wrapped, key)
    return key
  }
}
