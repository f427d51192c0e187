// The build before this one, for tests of two builds that meet: its own files are a fixture, which
// scripts/keep-build.mjs makes at each release; its packages are those of today.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { openPglite } from '../../../src/store/drivers/pglite.ts'
import type { Queryable } from '../../../src/store/drivers/sql.ts'
import { giveEmbeddedDatabase } from '../databases/embedded-database.ts'
import { testMasterKey } from './processes.ts'

const root = resolve(import.meta.dirname, '../../..')
const fixture = join(root, 'test/fixtures/build-before.tar.br')
/** Where packages are found as beside the sources. */
const cache = join(root, 'node_modules/.cache/stagely-build-before')

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )

const unpack = async (archive: Buffer, folder: string): Promise<void> => {
  const tar = execFile('tar', ['-x', '-C', folder])
  tar.stdin?.end(archive)
  const [code] = (await once(tar, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${fixture} cannot be unpacked: tar ended with ${code}`)
}

/** The file that is its command. Unpacked once for each fixture. */
export const buildBefore = async (): Promise<string> => {
  const packed = await readFile(fixture)
  const built = join(cache, createHash('sha256').update(packed).digest('hex').slice(0, 16))
  const main = join(built, 'cli/main.js')
  if (await isThere(main)) return main
  await rm(cache, { recursive: true, force: true })
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'new-'))
  await unpack(await promisify(brotliDecompress)(packed), folder)
  await rename(folder, built)
  return main
}

/** As the controller of that build does with an empty database. */
const migrateAsBefore = async (tx: Queryable, migrations: string): Promise<void> => {
  await tx.exec(
    'CREATE TABLE schema_migrations (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  )
  for (const name of (await readdir(migrations)).sort()) {
    await tx.exec(await readFile(join(migrations, name), 'utf8'))
    await tx.query('INSERT INTO schema_migrations (version, name) VALUES ($1, $2)', [
      Number.parseInt(name, 10),
      name,
    ])
  }
}

/**
 * Puts an embedded database with the schema of that build where its controller will look for one, and a key. It would
 * make them itself, by an initdb that takes 4 s of CPU, and migrate what comes of it.
 */
export const giveDatabaseOf = async (command: string, dataDir: string): Promise<void> => {
  await mkdir(dataDir, { mode: 0o700 })
  giveEmbeddedDatabase(dataDir)
  const database = await openPglite({ dataDir })
  await database.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  await database.transaction((tx) => migrateAsBefore(tx, join(dirname(command), 'migrations')))
  await database.close()
  await writeFile(join(dataDir, 'master.key'), `${testMasterKey}\n`, { mode: 0o600 })
}
