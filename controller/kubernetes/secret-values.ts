// The Secrets that give StagelySecrets their values: one watch for each of them, and for no other
// Secret.
import { isReason } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { SecretKeyRef, ClusterSecretValue } from './store-object.ts'
import type { ClusterClient } from './cluster-client.ts'
import { followCollection } from './follow.ts'
import { isLate } from './mirror.ts'
import { secretsPath } from './paths.ts'

export interface SecretValues {
  /**
   * The entry that gives `user` (a key of the work queue) its value; undefined until the Secret was
   * read once. From then on `user` is notified of changes, until it reads another Secret or calls
   * `release`.
   */
  read(user: string, namespace: string, ref: SecretKeyRef): ClusterSecretValue | undefined
  release(user: string): void
  stop(): Promise<void>
}

interface Followed {
  readonly users: Set<string>
  readonly stopping: AbortController
  readonly running: Promise<void>
  secret: (KubeObject & { data?: Record<string, string> }) | undefined
  /** The last deleted Secret of this name, since the list. */
  ended: KubeObject['metadata'] | undefined
  isRead: boolean
  /** Why the Secret may not be read. */
  forbidden: string | undefined
}

interface SecretValuesDeps {
  readonly client: ClusterClient
  readonly log: Logger
  /** Called with the users of a Secret that changed. */
  readonly onChange: (users: Iterable<string>) => void
}

export const createSecretValues = ({ client, log, onChange }: SecretValuesDeps): SecretValues => {
  const followed = new Map<string, Followed>()
  const uses = new Map<string, string>()

  const follow = (namespace: string, name: string): Followed => {
    const stopping = new AbortController()
    const settle = (secret: KubeObject | undefined): void => {
      entry.secret = secret
      entry.isRead = true
      entry.forbidden = undefined
      onChange(entry.users)
    }
    const running = followCollection({
      client,
      path: secretsPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      log,
      signal: stopping.signal,
      onList: (items) => {
        entry.ended = undefined
        settle(items.find(({ metadata }) => metadata.name === name))
        return Promise.resolve()
      },
      onFailure: (cause) => {
        // Other faults pass, and the known value stays valid meanwhile.
        if (!isReason(cause, 'Forbidden') || entry.forbidden === cause.message) return
        entry.forbidden = cause.message
        onChange(entry.users)
      },
      onChange: (type, object) => {
        if (object.metadata.name !== name) return
        if (isLate(type, object, entry.secret, entry.ended)) return
        if (type === 'DELETED') entry.ended = object.metadata
        settle(type === 'DELETED' ? undefined : object)
      },
    })
    const entry: Followed = {
      users: new Set(),
      stopping,
      running,
      secret: undefined,
      ended: undefined,
      isRead: false,
      forbidden: undefined,
    }
    return entry
  }

  const release = (user: string): void => {
    const id = uses.get(user)
    if (id === undefined) return
    uses.delete(user)
    const entry = followed.get(id)
    entry?.users.delete(user)
    if (entry === undefined || entry.users.size > 0) return
    followed.delete(id)
    entry.stopping.abort()
  }

  return {
    read: (user, namespace, { name, key }) => {
      const id = `${namespace}/${name}`
      if (uses.get(user) !== id) release(user)
      const entry = followed.get(id) ?? follow(namespace, name)
      followed.set(id, entry)
      entry.users.add(user)
      uses.set(user, id)
      if (entry.isRead) return valueOf(entry.secret, name, key)
      if (entry.forbidden === undefined) return undefined
      return { missing: `the Secret ${name} cannot be read: ${entry.forbidden}` }
    },
    release,
    stop: async () => {
      for (const { stopping } of followed.values()) stopping.abort()
      await Promise.all([...followed.values()].map(({ running }) => running))
    },
  }
}

const valueOf = (secret: Followed['secret'], name: string, key: string): ClusterSecretValue => {
  if (secret === undefined) return { missing: `there is no Secret ${name} in this namespace` }
  const { data = {} } = secret
  const base64 = Object.hasOwn(data, key) ? data[key] : undefined
  if (base64 === undefined) return { missing: `the Secret ${name} has no entry ${key}` }
  return { base64, resourceVersion: secret.metadata.resourceVersion ?? '' }
}
