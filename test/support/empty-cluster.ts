// Saves a test the making of an embedded cluster.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

/** Puts a fresh cluster where a store or a controller of `dataDir` will look for its own. */
export const giveEmptyCluster = (dataDir: string): void => {
  cpSync(inject('emptyCluster'), join(dataDir, 'postgres'), { recursive: true })
}
