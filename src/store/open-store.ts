// Opens the database, brings it up to date, and hands out everything that lives in it.
import type { Clock } from '../kernel/clock.ts'
import { StagelyError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/log.ts'
import { createLocalKeyProvider, type KeyProvider } from '../secrets/key-provider.ts'
import { AccessChanges } from './access-changes.ts'
import { AgentRegistry } from './agent-registry.ts'
import { AuditLog } from './audit/audit-log.ts'
import { defaultRetention, type Retention } from './compaction.ts'
import { MemberStore } from './members.ts'
import { IdempotencyKeys } from './idempotency-keys.ts'
import { migrate } from './migrate.ts'
import { openPg } from './pg.ts'
import { openPglite } from './pglite.ts'
import { PrincipalStore } from './principals.ts'
import { Settings } from './settings.ts'
import { SqlStore } from './sql-store.ts'
import type { Sql } from './sql.ts'
import { TokenStore } from './tokens.ts'
import { UserStore } from './users.ts'

export interface OpenStoreOptions {
  /** An external Postgres; without it the embedded one in `dataDir`. */
  readonly databaseUrl?: string
  readonly dataDir: string
  /** 32 bytes. */
  readonly masterKey: Buffer
  readonly clock: Clock
  readonly log: Logger
  /** How much history stays; where absent, the default. */
  readonly retention?: Retention
}

export interface Opened {
  readonly store: SqlStore
  readonly agents: AgentRegistry
  readonly users: UserStore
  readonly members: MemberStore
  readonly tokens: TokenStore
  readonly principals: PrincipalStore
  readonly settings: Settings
  readonly audit: AuditLog
  readonly idempotency: IdempotencyKeys
  readonly sql: Sql
  /** Ends every watch, waits for begun writes, closes the database. Safe to call twice. */
  close(): Promise<void>
}

const checkKeyId = (found: string | null, provider: KeyProvider): void => {
  if (found === null || found === provider.keyId) return
  throw new StagelyError(
    'InternalError',
    `the database is sealed with master key ${found}, but the key given is ${provider.keyId}: start with the right STAGELY_SECRET_KEY (nothing was changed)`,
  )
}

interface KeyRow {
  key_provider_key_id: string | null
}

/** Before anything is touched, migrations included. */
const refuseWrongKey = async (sql: Sql, provider: KeyProvider): Promise<void> => {
  const [table] = await sql.query<{ found: boolean }>(
    "SELECT to_regclass('counters') IS NOT NULL AS found",
  )
  if (table?.found !== true) return
  const [row] = await sql.query<KeyRow>('SELECT key_provider_key_id FROM counters')
  checkKeyId(row?.key_provider_key_id ?? null, provider)
}

/** The first to start names its key; of two that start at once with different keys one is refused. */
const claimKey = async (sql: Sql, provider: KeyProvider): Promise<void> => {
  await sql.query(
    'UPDATE counters SET key_provider = $1, key_provider_key_id = $2 WHERE key_provider_key_id IS NULL',
    [provider.name, provider.keyId],
  )
  const [row] = await sql.query<KeyRow>('SELECT key_provider_key_id FROM counters')
  checkKeyId(row?.key_provider_key_id ?? null, provider)
}

const ensureDefaultNamespace = async (store: SqlStore): Promise<void> => {
  const ref = { kind: 'Namespace', namespace: '', name: 'default' }
  await store.write({ name: 'controller', source: 'system' }, {}, async (tx) => {
    if ((await tx.get(ref)) !== undefined) return
    await tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
  })
}

/** InternalError for the wrong master key or a newer schema, Conflict for a folder in use. */
export const openStore = async (options: OpenStoreOptions): Promise<Opened> => {
  const { databaseUrl, dataDir, masterKey, clock, log, retention = defaultRetention } = options
  const provider = createLocalKeyProvider(masterKey)
  const sql =
    databaseUrl === undefined ? await openPglite({ dataDir }) : openPg({ databaseUrl, clock, log })
  try {
    await refuseWrongKey(sql, provider)
    const applied = await migrate(sql)
    if (applied.length > 0) log.info({ applied }, 'database migrated')
    await claimKey(sql, provider)
    const store = await SqlStore.start({ sql, provider, clock, log, retention })
    await ensureDefaultNamespace(store)
    const access = await AccessChanges.start(sql, store)
    const settings = new Settings(sql, provider)
    let closing: Promise<void> | undefined
    return {
      store,
      agents: new AgentRegistry(sql, store, clock),
      users: new UserStore(sql, access),
      members: new MemberStore(sql, access),
      tokens: new TokenStore(sql, access),
      principals: new PrincipalStore(sql, clock, access),
      settings,
      audit: new AuditLog({ sql, store, settings, clock }),
      idempotency: new IdempotencyKeys(sql, settings, clock),
      sql,
      close: () => (closing ??= access.stop().then(() => store.close())),
    }
  } catch (error) {
    await sql.close()
    throw error
  }
}
