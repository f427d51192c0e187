// Tells the operator of due keys that belong to no project. The row of a key has the time of the last message.
import { sealingKeyPrefix } from '../settings.ts'
import type { Queryable } from '../drivers/sql.ts'
import type { KeyStoreDeps } from './key-store-deps.ts'
import { controllerActor } from '../core/actor.ts'

/** A key that is due for rotation. */
export interface DueKey {
  readonly kind: 'master' | 'sealing' | 'project'
  /** Of `project`: its name in the configuration. */
  readonly name?: string
  /** No message where there was one after this time (ms). */
  readonly unlessSince: number
  readonly message: string
}

const again = '(warned_at IS NULL OR warned_at < $1)'

const noteWarning = (q: Queryable, { kind, name, unlessSince }: DueKey, now: number) => {
  const times = [unlessSince, now]
  switch (kind) {
    case 'master':
      return q.query(
        'UPDATE counters SET key_warned_at = $2 WHERE key_warned_at IS NULL OR key_warned_at < $1 RETURNING 1',
        times,
      )
    case 'project':
      return q.query(
        `UPDATE wrapping_keys SET warned_at = $2 WHERE ${again} AND name = $3 RETURNING 1`,
        [...times, name],
      )
    case 'sealing':
      return q.query(
        `UPDATE settings SET warned_at = $2 WHERE ${again} AND key = (
           SELECT key FROM settings WHERE starts_with(key, $3) ORDER BY created_at DESC, length(key) DESC, key DESC LIMIT 1
         ) RETURNING 1`,
        [...times, sealingKeyPrefix],
      )
  }
}

/** The message is an event of the namespace `default`, and a line of the log. */
export const warnOfKeys = async (
  { store, log }: Pick<KeyStoreDeps, 'store' | 'log'>,
  due: readonly DueKey[],
): Promise<void> => {
  if (due.length === 0) return
  const warned = await store.writeWithSession(controllerActor, async ({ tx: q, nowMs }, tx) => {
    const news: DueKey[] = []
    for (const key of due) if ((await noteWarning(q, key, nowMs)).length > 0) news.push(key)
    const regarding = await tx.get({ kind: 'Namespace', namespace: '', name: 'default' })
    if (regarding === undefined) return news
    for (const { message } of news)
      await tx.recordEvent({ regarding, type: 'Warning', reason: 'KeyRotationDue', message })
    return news
  })
  for (const { message, kind, name } of warned)
    log.warn({ reason: 'KeyRotationDue', kind, ...(name && { key: name }) }, message)
}
