// The files of a new embedded database. initdb inside of WebAssembly takes seconds and half a gigabyte of
// memory, the schema takes seconds more: a build makes both once (scripts/empty-cluster.ts), and ships them.
import { createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { startDatabaseThread } from './pglite-thread.ts'

const shipped = fileURLToPath(new URL('empty-cluster.tar.gz', import.meta.url))

/**
 * Makes `folder` a cluster with the schema of the build and no rows, unless it exists. Whole or not at all: what a
 * killed start left half-made is thrown away. Sources that were never built run
 * initdb, and leave the schema to the first start.
 */
export const ensureCluster = async (folder: string): Promise<void> => {
  if (existsSync(folder)) return
  const making = `${folder}.new`
  await rm(making, { recursive: true, force: true })
  if (existsSync(shipped)) await unpackInto(making)
  else {
    const thread = await startDatabaseThread(making)
    await thread.ask('close').finally(thread.end)
  }
  await rename(making, folder)
}

/**
 * PGlite could load the archive too, but would start a whole Postgres for that. It has hundreds of small
 * files: each is written at once, which takes a third of what streams take.
 */
const unpackInto = async (folder: string): Promise<void> => {
  mkdirSync(folder, { mode: 0o700 })
  const entries = extract()
  const read = pipeline(createReadStream(shipped), createGunzip({ chunkSize: 1 << 20 }), entries)
  for await (const entry of entries) {
    const { name, type } = entry.header
    const path = join(folder, name)
    if (type === 'directory') mkdirSync(path, { mode: 0o700 })
    else writeFileSync(path, await buffer(entry), { mode: 0o600 })
    entry.resume()
  }
  await read
}
