// Backups of a running controller: for whoever asks, and each day into the data folder. Their content is sealed.
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { toTimestamp, type Clock } from '../src/kernel/clock.ts'
import type { Logger } from '../src/kernel/log.ts'
import { waitFor, type ReconcileOutcome } from '../src/runtime/control-loop.ts'
import { startSingleLoop } from '../src/runtime/single-loop.ts'
import { writeBackup } from '../src/store/backup/dump.ts'
import type { Opened } from '../src/store/open/open-store.ts'
import { backupDone, backupRef } from '../src/store/backup/last-backup.ts'
import { controllerActor } from '../src/store/core/actor.ts'
import type { Actor } from '../src/store/store.ts'

type Means = Pick<Opened, 'sql' | 'store'> & { readonly clock: Clock }

const writeAs = async ({ sql, store, clock }: Means, actor: Actor, path: string): Promise<void> => {
  await store.audit(actor, backupRef, { action: 'backup' })
  await writeBackup(sql, path, clock.now())
  await store.audit(actor, backupRef, { action: backupDone })
}

/**
 * A backup is first written to the data folder, so that a slow reader of the answer does not hold up the database. The
 * file is unlinked before it is read.
 */
export const createBackups =
  ({ sql, store }: Opened, dataDir: string, clock: Clock) =>
  async (actor: Actor): Promise<ReadableStream<Uint8Array>> => {
    const path = join(dataDir, `.backup.${randomBytes(6).toString('hex')}`)
    try {
      await writeAs({ sql, store, clock }, actor, path)
      const file = await open(path, 'r')
      return Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>
    } finally {
      await rm(path, { force: true })
    }
  }

const everyMs = 86_400_000
const retryMs = 600_000
/** Of a file that is being written, or that a stop has left. */
const partial = '.partial'
const nameForm = /^stagely-(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)Z\.backup$/

const nameAt = (ms: number): string =>
  `stagely-${toTimestamp(ms).slice(0, 19).replaceAll(':', '-')}Z.backup`

const timeOf = (name: string): number => Date.parse(name.replace(nameForm, '$1:$2:$3Z'))

/** Newest first. Files with other names are not ours. */
const backupsIn = (names: readonly string[]): string[] =>
  names
    .filter((name) => nameForm.test(name))
    .sort()
    .reverse()

/** Takes a backup into the data folder each day, and keeps the newest. */
export const startDailyBackups = (
  means: Means & { readonly log: Logger },
  { dataDir, kept }: { readonly dataDir: string; readonly kept: number },
): { stop(): Promise<void> } => {
  const { clock, log } = means
  const dir = join(dataDir, 'backups')
  const take = async (): Promise<number> => {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const names = await readdir(dir)
    const [newest] = backupsIn(names)
    // A backup of the future was taken before the clock was set.
    const dueAt = newest === undefined ? 0 : Math.min(timeOf(newest), clock.now()) + everyMs
    if (dueAt > clock.now()) return dueAt
    for (const name of names)
      if (name.endsWith(partial) && nameForm.test(name.slice(0, -partial.length)))
        await rm(join(dir, name))
    const path = join(dir, nameAt(clock.now()))
    await writeAs(means, controllerActor, path + partial)
    await rename(path + partial, path)
    log.info({ path }, 'a backup was taken')
    for (const name of backupsIn(await readdir(dir)).slice(kept)) await rm(join(dir, name))
    return clock.now() + everyMs
  }
  const run = async (signal: AbortSignal): Promise<ReconcileOutcome> => {
    try {
      return waitFor((await take()) - clock.now())
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, dir }, 'the daily backup was not taken')
      return waitFor(retryMs)
    }
  }
  const loop = startSingleLoop(means, { name: 'daily-backups', run })
  loop.runNow()
  return loop
}
