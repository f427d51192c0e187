// Follows one collection of a cluster: lists it, watches from the list's version, and recovers from
// every fault.
//
// INVARIANTS
// - `onList` gets a complete, consistent list before the first `onChange`, and again after each gap.
// - A truncated or unparsable line ends the watch, which resumes after the last whole event.
// - 410 Gone causes a new list at once. After any other fault, and after a 410 right after a list,
//   there is a pause: growing and random, or as long as the server asks (Retry-After).
import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '../../src/kernel/backoff.ts'
import { defined } from '../../src/kernel/defined.ts'
import { isReason, messageOf, StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { ClusterClient } from './cluster-client.ts'
import { newerVersion } from './mirror.ts'

export interface FollowOptions {
  readonly client: ClusterClient
  readonly path: string
  readonly fieldSelector?: string
  readonly log: Logger
  readonly signal: AbortSignal
  /** When it rejects, the collection is listed again. */
  readonly onList: (items: KubeObject[]) => Promise<void>
  readonly onChange: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void
  readonly onFailure?: (cause: unknown) => void
  /** Called when the server has listed, or takes a watch. */
  readonly onFollowed?: () => void
  /** How long the server may keep a watch open, in seconds. */
  readonly watchSeconds?: number
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

const backoff = { baseMs: 200, capMs: 30_000 }
const pageSize = '500'
/** Minimum pause between watches, for a server that ends each watch at once. */
const leastMs = 500

const pauseFor = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)

/** Resolves when `signal` aborts. */
export const followCollection = async (options: FollowOptions): Promise<void> => {
  const { log, signal, pause = pauseFor } = options
  let version: string | undefined
  let failures = 0
  while (!signal.aborted) {
    const begun = performance.now()
    const resumed = version !== undefined
    try {
      version ??= await list(options)
      version = await watch(options, version)
      failures = 0
      await pause(Math.max(0, leastMs - (performance.now() - begun)), signal)
    } catch (error) {
      if (signal.aborted) return
      const { cause, reached } =
        error instanceof WatchBroken ? error : { cause: error, reached: version }
      const expired = isReason(cause, 'Expired')
      // Received events prove that the server works; so does a 410 for an old version.
      failures = reached !== version || (expired && resumed) ? 0 : failures + 1
      version = expired ? undefined : reached
      options.onFailure?.(cause)
      const asked = cause instanceof StagelyError ? cause.details.retryAfterSeconds : undefined
      if (failures > 1)
        log.warn(
          { path: options.path, reason: messageOf(cause), remedy: remedyOf(cause) },
          'cannot follow the cluster; trying again',
        )
      await pause(asked === undefined ? backoffMs(failures, backoff) : asked * 1000, signal)
    }
  }
}

/** A remedy, for a fault that somebody has to mend; undefined for a temporary fault. */
export const remedyOf = (cause: unknown): string | undefined => {
  if (isReason(cause, 'NotFound'))
    return 'the CRDs must be there: kubectl apply -f crds, or crds.install=true of the chart'
  if (isReason(cause, 'Forbidden'))
    return 'its service account must have the rules of charts/stagely/templates/rbac.yaml'
  return undefined
}

/** A watch that ended with a fault; `version` is the last one that it reached. */
class WatchBroken extends Error {
  override readonly cause: unknown
  readonly reached: string

  constructor(cause: unknown, reached: string) {
    super('the watch broke')
    this.cause = cause
    this.reached = reached
  }
}

interface ListBody {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
  readonly apiVersion?: string
  readonly kind?: string
  readonly items?: readonly KubeObject[]
}

/** Lists all pages and returns the list's version. If the list expires between pages, it starts again. */
const list = async (options: FollowOptions): Promise<string> => {
  const { client, path, fieldSelector } = options
  const items: KubeObject[] = []
  let next: string | undefined
  for (;;) {
    const query = { limit: pageSize, continue: next, fieldSelector }
    const page = (await client.get(path, query)) as ListBody
    // Servers leave the kind out of the items of a typed list.
    const kind = page.kind?.replace(/List$/, '')
    for (const item of page.items ?? [])
      items.push({
        ...item,
        kind: item.kind || kind || '',
        apiVersion: item.apiVersion || page.apiVersion || '',
      })
    next = page.metadata?.continue
    if (next === undefined || next === '') {
      await options.onList(items)
      options.onFollowed?.()
      return page.metadata?.resourceVersion ?? ''
    }
  }
}

interface WatchEvent {
  readonly type: string
  readonly object: KubeObject & { readonly code?: number; readonly message?: string }
}

/** Watches from `version` until the server ends the watch; returns the last version that it reached. */
const watch = async (options: FollowOptions, version: string): Promise<string> => {
  const { client, path, fieldSelector, signal, watchSeconds = 300 } = options
  let reached = version
  const onLine = (line: string): void => {
    if (line === '') return
    const event = JSON.parse(line) as WatchEvent
    if (event.type === 'ERROR') throw errorOf(event)
    reached = newerVersion(reached, event.object.metadata.resourceVersion ?? reached)
    if (event.type === 'ADDED' || event.type === 'MODIFIED' || event.type === 'DELETED')
      options.onChange(event.type, event.object)
  }
  const query = {
    resourceVersion: version,
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(watchSeconds),
    fieldSelector,
  }
  try {
    await client.watch(path, query, {
      signal,
      onLine,
      ...defined({ onOpen: options.onFollowed }),
      idleMs: (watchSeconds + Math.min(watchSeconds, 15)) * 1000,
    })
    return reached
  } catch (error) {
    throw new WatchBroken(error, reached)
  }
}

const errorOf = ({ object }: WatchEvent): StagelyError =>
  object.code === 410
    ? new StagelyError('Expired', object.message ?? 'too old resource version')
    : new StagelyError('ServiceUnavailable', object.message ?? 'the watch ended with an error')
