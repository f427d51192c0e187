// The files of a new embedded database. initdb inside of WebAssembly takes seconds and half a
// gigabyte of memory, so a build runs it once (scripts/empty-cluster.mjs) and ships what it made.
import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'

const shipped = fileURLToPath(new URL('empty-cluster.tar.gz', import.meta.url))

/**
 * Makes `folder` a cluster of Postgres' own databases, unless it exists. Whole or not at all: what a
 * killed start left half-made is thrown away. Sources that were never built run initdb.
 */
export const ensureCluster = async (folder: string): Promise<void> => {
  if (existsSync(folder)) return
  const making = `${folder}.new`
  await rm(making, { recursive: true, force: true })
  const db = await PGlite.create({
    dataDir: making,
    ...(existsSync(shipped) ? { loadDataDir: await shippedCluster() } : {}),
  })
  await db.close()
  await rename(making, folder)
}

const shippedCluster = async (): Promise<Blob> =>
  new Blob([await readFile(shipped)], { type: 'application/gzip' })
