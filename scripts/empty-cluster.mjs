// Makes src/store/empty-cluster.tar.gz, which src/store/pglite-cluster.ts loads; only where it is
// missing or older than the installed PGlite.
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'

const archive = fileURLToPath(new URL('../src/store/empty-cluster.tar.gz', import.meta.url))
const maker = fileURLToPath(import.meta.resolve('@electric-sql/pglite'))
const changed = (file) => Math.max(statSync(file).mtimeMs, statSync(file).ctimeMs)

if (!existsSync(archive) || changed(archive) < changed(maker)) {
  const db = await PGlite.create()
  const made = await db.dumpDataDir('gzip')
  await db.close()
  writeFileSync(`${archive}.new`, Buffer.from(await made.arrayBuffer()))
  renameSync(`${archive}.new`, archive)
}
