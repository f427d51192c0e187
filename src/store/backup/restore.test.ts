import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { KeyProvider } from '../../secrets/key-provider.ts'
import { knownMigrations } from '../drivers/migrate.ts'
import { checkBackup } from './restore.ts'

const folder = mkdtempSync(join(tmpdir(), 'stagely-restore-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** No key is in these backups, so none is asked for. */
const provider = {} as KeyProvider

/** Checks a backup without rows whose database had these migrations. */
const check = async (...schema: string[]): Promise<unknown> => {
  const header = { stagelyBackup: 1, takenAt: '2026-01-01T00:00:00Z', schema, epoch: 1 }
  const line = `${JSON.stringify({ ...header, resourceVersion: 1, keys: [] })}\n`
  const end = { end: true, rows: 0, sha256: createHash('sha256').update(line).digest('hex') }
  const path = join(folder, 'one.backup')
  writeFileSync(path, gzipSync(`${line}${JSON.stringify(end)}\n`))
  return checkBackup(path, provider)
}

describe('checkBackup', () => {
  it('takes a backup of this program, and of the build before the baseline', async () => {
    await expect(check(...knownMigrations())).resolves.toMatchObject({ rows: 0 })
    await expect(check('0001-objects.sql', '0064-tip.sql')).resolves.toMatchObject({ rows: 0 })
  })

  it('refuses an older one, and names the build that upgrades it', async () => {
    await expect(check('0001-objects.sql', '0063-proven-tokens.sql')).rejects.toMatchObject({
      reason: 'BadRequest',
      message: expect.stringMatching(
        /the backup is of a build before commit da7ac8cf.*upgrade to the build of that commit first/,
      ) as string,
    })
  })

  it('refuses one of a newer program, and names what it does not know', async () => {
    const newer = /made by a newer program \(9000-later.sql\): restore it with that one/
    await expect(check(...knownMigrations(), '9000-later.sql')).rejects.toThrow(newer)
    await expect(check('9000-later.sql')).rejects.toThrow(newer)
  })
})
