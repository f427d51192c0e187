// Makes src/store/drivers/empty-cluster.tar.gz, which src/store/drivers/pglite-cluster.ts loads: a cluster with today's schema
// and no row of ours. Only where it is missing or older than what it is made of.
import { execFileSync } from 'node:child_process'
import nodeCrypto from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'
import { migrateIn } from '../src/store/drivers/migrate.ts'

const store = fileURLToPath(new URL('../src/store/drivers', import.meta.url))
const archive = join(store, 'empty-cluster.tar.gz')
const migrations = join(store, 'migrations')

const madeOf = [
  fileURLToPath(import.meta.url),
  fileURLToPath(import.meta.resolve('@electric-sql/pglite')),
  join(store, 'migrate.ts'),
  migrations,
  ...readdirSync(migrations).map((name) => join(migrations, name)),
]

const changedAt = (file: string): number => Math.max(statSync(file).mtimeMs, statSync(file).ctimeMs)

/** Nobody makes another database in it, and these are half of its files. */
const dropTemplates = [
  'UPDATE pg_database SET datistemplate = false',
  'DROP DATABASE template0',
  'DROP DATABASE template1',
]

/** What was written until here is in the tables: a new segment of the log begins, and the checkpoint removes the old one. */
const dropLog = ['SET wal_recycle = off', 'SELECT pg_switch_wal()', 'CHECKPOINT']

/** The same files each time: PGlite asks these two for the time and for random bytes. */
const stopTimeAndChance = (): void => {
  const now = Date.UTC(2026, 0, 1)
  Date.now = () => now
  performance.now = () => 0
  nodeCrypto.randomFillSync = (bytes) => bytes
}

const makeIn = async (dataDir: string): Promise<void> => {
  stopTimeAndChance()
  const db = await PGlite.create({ dataDir })
  await db.transaction((tx) =>
    migrateIn({
      query: async <R>(text: string, params?: readonly unknown[]) =>
        (await tx.query<R>(text, params === undefined ? undefined : [...params])).rows,
      exec: async (text) => {
        await tx.exec(text)
      },
    }),
  )
  for (const text of [...dropTemplates, ...dropLog]) await db.exec(text)
  // Closed, so that the first start has nothing to replay.
  await db.close()
}

/** Nothing of the time or of whoever makes it. */
const alike = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']

const make = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'stagely-cluster-'))
  try {
    await makeIn(folder)
    const tar = execFileSync('tar', [...alike, '-c', '-C', folder, ...readdirSync(folder).sort()], {
      maxBuffer: 1 << 28,
    })
    writeFileSync(`${archive}.new`, gzipSync(tar, { level: 9 }))
    renameSync(`${archive}.new`, archive)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (!existsSync(archive) || madeOf.some((file) => changedAt(archive) < changedAt(file)))
  await make()
