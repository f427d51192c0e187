// Saves a test the unpacking of an embedded database, which costs 0.4 s of CPU; a copy costs 0.1.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

/** Puts one of today's schema where a store or a controller of `dataDir` will look for its own. */
export const giveEmbeddedDatabase = (dataDir: string): void => {
  cpSync(inject('embeddedTemplate'), join(dataDir, 'postgres'), { recursive: true })
}
