// Saves a test the making of an embedded database: files and schema cost 5 s of CPU, a copy 0.3.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

/** Puts one of today's schema where a store or a controller of `dataDir` will look for its own. */
export const giveEmbeddedDatabase = (dataDir: string): void => {
  cpSync(inject('embeddedTemplate'), join(dataDir, 'postgres'), { recursive: true })
}
