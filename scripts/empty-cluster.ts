// Makes src/store/empty-cluster.tar.gz, which src/store/pglite-cluster.ts loads: a cluster with today's schema
// and no row of ours. Only where it is missing or older than what it is made of.
import { existsSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { migrateIn } from '../src/store/migrate.ts'

const store = fileURLToPath(new URL('../src/store', import.meta.url))
const archive = join(store, 'empty-cluster.tar.gz')
const migrations = join(store, 'migrations')

const madeOf = [
  fileURLToPath(import.meta.resolve('@electric-sql/pglite')),
  join(store, 'migrate.ts'),
  migrations,
  ...readdirSync(migrations).map((name) => join(migrations, name)),
]

const changedAt = (file: string): number => Math.max(statSync(file).mtimeMs, statSync(file).ctimeMs)

const make = async (): Promise<void> => {
  const db = await PGlite.create()
  await db.transaction((tx) =>
    migrateIn({
      query: async <R>(text: string, params?: readonly unknown[]) =>
        (await tx.query<R>(text, params === undefined ? undefined : [...params])).rows,
      exec: async (text) => {
        await tx.exec(text)
      },
    }),
  )
  // The first start has nothing to replay.
  await db.exec('CHECKPOINT')
  const made = await db.dumpDataDir('gzip')
  await db.close()
  writeFileSync(`${archive}.new`, Buffer.from(await made.arrayBuffer()))
  renameSync(`${archive}.new`, archive)
}

if (!existsSync(archive) || madeOf.some((file) => changedAt(archive) < changedAt(file)))
  await make()
