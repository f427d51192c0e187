// Each project has a data key, which seals values and may be replaced, and a digest key, which is never
// replaced, so that no rotation restarts a container. Both are created with the project and stored
// wrapped.
import { createSecretKey, randomBytes, randomUUID, type KeyObject } from 'node:crypto'
import type { KeyBytes, SealKey } from './aead.ts'
import { KeyCache, type KeyCacheOptions } from './key-cache.ts'
import type { KeyProvider } from './key-provider.ts'

/** The contexts that the wrapped texts are bound to. */
export const dataKeyContext = (projectUid: string, id: string): string =>
  `data key ${id} of project ${projectUid}`
export const digestKeyContext = (projectUid: string): string =>
  `digest key of project ${projectUid}`

export interface NewDataKey {
  readonly id: string
  readonly wrapped: string
}

export const createDataKey = async (
  provider: KeyProvider,
  projectUid: string,
): Promise<NewDataKey> => {
  const id = randomUUID()
  const bytes = randomBytes(32)
  try {
    return { id, wrapped: await provider.wrap(bytes, dataKeyContext(projectUid, id)) }
  } finally {
    bytes.fill(0)
  }
}

export interface NewProjectKeys {
  readonly dataKey: NewDataKey
  readonly digestKey: KeyObject
  readonly wrappedDigestKey: string
}

export const createProjectKeys = async (
  provider: KeyProvider,
  projectUid: string,
): Promise<NewProjectKeys> => {
  const bytes = randomBytes(32)
  const digestKey = createSecretKey(bytes)
  try {
    const [dataKey, wrappedDigestKey] = await Promise.all([
      createDataKey(provider, projectUid),
      provider.wrap(bytes, digestKeyContext(projectUid)),
    ])
    return { dataKey, digestKey, wrappedDigestKey }
  } finally {
    bytes.fill(0)
  }
}

/** Wraps the digest key of a project with another key. */
export const wrapDigestKey = async (
  provider: KeyProvider,
  projectUid: string,
  digestKey: KeyBytes,
): Promise<string> => {
  const bytes = Buffer.isBuffer(digestKey) ? Buffer.from(digestKey) : digestKey.export()
  try {
    return await provider.wrap(bytes, digestKeyContext(projectUid))
  } finally {
    bytes.fill(0)
  }
}

/** The unwrapped keys of projects, for callers that have the wrapped texts. A key that is in memory is here at once. */
export interface ProjectKeys {
  dataKey(projectUid: string, id: string, wrapped: string): SealKey | Promise<SealKey>
  digestKey(projectUid: string, wrapped: string): KeyObject | Promise<KeyObject>
}

/**
 * Unwraps on first use and caches the keys for a while, so that a key service is not asked for each
 * secret.
 */
export class ProjectKeyCache implements ProjectKeys {
  readonly #provider: KeyProvider
  readonly #dataKeys: KeyCache
  readonly #digestKeys: KeyCache

  constructor(provider: KeyProvider, options: KeyCacheOptions) {
    this.#provider = provider
    this.#dataKeys = new KeyCache(options)
    this.#digestKeys = new KeyCache(options)
  }

  dataKey(projectUid: string, id: string, wrapped: string): SealKey | Promise<SealKey> {
    const bytes = this.#dataKeys.get(`${projectUid} ${id}`, () =>
      this.#provider.unwrap(wrapped, dataKeyContext(projectUid, id)),
    )
    return bytes instanceof Promise ? bytes.then((key) => ({ id, bytes: key })) : { id, bytes }
  }

  digestKey(projectUid: string, wrapped: string): KeyObject | Promise<KeyObject> {
    // The wrapped text is part of the cache key: an exchanged row is unwrapped again, which fails.
    return this.#digestKeys.get(`${projectUid} ${wrapped}`, () =>
      this.#provider.unwrap(wrapped, digestKeyContext(projectUid)),
    )
  }

  /** Removes expired keys. */
  sweep(): void {
    this.#dataKeys.sweep()
    this.#digestKeys.sweep()
  }

  clear(): void {
    this.#dataKeys.clear()
    this.#digestKeys.clear()
  }
}
