// A store on a fresh database, server or folder, that a test may open again and again.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject } from 'vitest'
import { realClock, type Clock } from '../../../src/kernel/clock.ts'
import { silentLogger, type Logger } from '../../../src/kernel/log.ts'
import type { SealedValueOpener } from '../../../src/secrets/sealed-place.ts'
import { openStore, type Opened } from '../../../src/store/open/open-store.ts'
import type { KeyRing } from '../../../src/secrets/key-ring.ts'
import { giveEmbeddedDatabase } from './embedded-database.ts'
import { localKeyRing } from '../keys.ts'
import { memoryFolder } from '../memory-folder.ts'
import { stateAndTables } from './state-of-tables.ts'
import { createTestDatabase } from './test-database.ts'

interface Again {
  /** By way of a relay. */
  readonly databaseUrl?: string
  readonly masterKey?: Buffer
  readonly keyRing?: KeyRing
  readonly clock?: Clock
}

export interface TestStore extends Opened {
  readonly dataDir: string
  /** Of a server; undefined for a folder. */
  readonly databaseUrl: string | undefined
  /** Opens the same database once more (a second controller); on a folder only after close(). */
  again(more?: Again): Promise<Opened>
  /**
   * Closes all and removes the database. Throws where the state of a store that is open is not what the tables
   * hold, unless the test has changed rows by itself.
   */
  destroy(what?: { wasTampered?: boolean }): Promise<void>
}

const expectSameAsTables = async (opened: readonly Opened[]): Promise<void> => {
  for (const one of opened) {
    if (one.isClosed) continue
    const { state, tables } = await stateAndTables(one)
    expect(state).toEqual(tables)
  }
}

export const testMasterKey = Buffer.alloc(32, 42)

/** `serverUrl` undefined: PGlite in a temporary folder. */
export const openTestStore = async (
  serverUrl: string | undefined,
  options: {
    clock?: Clock
    sealedValues?: SealedValueOpener
    mailDomains?: readonly string[]
    keyRing?: KeyRing
    keyCache?: { refreshMs?: number; keepMs?: number }
    log?: Logger
  } = {},
): Promise<TestStore> => {
  const dataDir = mkdtempSync(join(memoryFolder, 'stagely-store-'))
  const database =
    serverUrl === undefined
      ? undefined
      : await createTestDatabase(serverUrl, inject('postgresTemplate'))
  if (database === undefined) giveEmbeddedDatabase(dataDir)
  const opened: Opened[] = []
  const open = async (more: Again = {}): Promise<Opened> => {
    const clock = more.clock ?? options.clock ?? realClock
    const one = await openStore({
      ...(database === undefined ? {} : { databaseUrl: more.databaseUrl ?? database.url }),
      dataDir,
      keyRing: more.keyRing ?? localKeyRing(more.masterKey ?? testMasterKey, { clock }),
      ...(options.keyCache === undefined ? {} : { keyCache: options.keyCache }),
      clock,
      ...(options.sealedValues === undefined ? {} : { sealedValues: options.sealedValues }),
      mailDomains: options.mailDomains,
      log: options.log ?? silentLogger,
    })
    opened.push(one)
    return one
  }
  const first = await open(options.keyRing === undefined ? {} : { keyRing: options.keyRing })
  return {
    ...first,
    dataDir,
    databaseUrl: database?.url,
    again: open,
    destroy: async ({ wasTampered = false } = {}) => {
      if (!wasTampered) await expectSameAsTables(opened)
      for (const one of opened) await one.close()
      await database?.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
