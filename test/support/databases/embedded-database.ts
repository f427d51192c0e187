// Saves a test the unpacking of an embedded database, which costs 0.2 s of CPU; a copy costs 0.03.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

/** `cpSync` looks four times at each of hundreds of files, which costs as much again. */
const copyFolder = (from: string, to: string): void => {
  mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const copy = entry.isDirectory() ? copyFolder : copyFileSync
    copy(join(from, entry.name), join(to, entry.name))
  }
}

/** Puts one of today's schema where a store or a controller of `dataDir` will look for its own. */
export const giveEmbeddedDatabase = (dataDir: string): void => {
  copyFolder(inject('embeddedTemplate'), join(dataDir, 'postgres'))
}
