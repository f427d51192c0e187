// Backups of a running controller. A backup is first written to the data folder, so that a slow reader
// of the answer does not hold up the database. Its content is sealed, and the file is unlinked before
// it is read.
import { randomBytes } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Clock } from '../src/kernel/clock.ts'
import { writeBackup } from '../src/store/backup/dump.ts'
import type { Opened } from '../src/store/open-store.ts'
import { backupDone, backupRef } from '../src/store/backup/last-backup.ts'
import type { Actor } from '../src/store/store.ts'

export const createBackups =
  ({ sql, store }: Opened, dataDir: string, clock: Clock) =>
  async (actor: Actor): Promise<ReadableStream<Uint8Array>> => {
    await store.audit(actor, backupRef, { action: 'backup' })
    const path = join(dataDir, `.backup.${randomBytes(6).toString('hex')}`)
    try {
      await writeBackup(sql, path, clock.now())
      await store.audit(actor, backupRef, { action: backupDone })
      const file = await open(path, 'r')
      return Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>
    } finally {
      await rm(path, { force: true })
    }
  }
