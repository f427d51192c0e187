// Opens the database, migrates it, and returns the store with all its parts.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/log.ts'
import type { KeyCacheOptions } from '../../secrets/key-cache.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import { AccessChanges } from '../people/access-changes.ts'
import type { SealedValueOpener } from '../../secrets/sealed-place.ts'
import { ActivityLog } from '../activity/activity-log.ts'
import { ExchangedTokens } from '../people/exchanged-tokens.ts'
import { AgentConnections } from '../agents/agent-connections.ts'
import { AgentRegistry } from '../agents/agent-registry.ts'
import { noteRestore } from '../backup/note-restore.ts'
import { AuditLog } from '../audit/audit-log.ts'
import { defaultRetention, type Retention } from '../compaction.ts'
import { LoginStore } from '../people/logins.ts'
import { MemberStore } from '../people/members.ts'
import { IdempotencyKeys } from '../idempotency-keys.ts'
import { KeyStore } from '../keys/key-store.ts'
import { createLeaderLease, type LeaderLease } from '../leader-lease.ts'
import { claimKey, refuseWrongKey } from '../keys/wraps.ts'
import { checkCredentials } from '../history/credential.ts'
import type { LastStep } from '../log/run-write.ts'
import { admitTemplates } from '../objects/admit-templates.ts'
import { finishProjects } from '../revisions.ts'
import { checkEnvironments } from '../secrets/environments.ts'
import { checkRemoved } from '../secrets/followers.ts'
import { checkPolicies } from '../secrets/policy.ts'
import { checkSeparation } from '../secrets/separation.ts'
import { checkPlainReferences } from '../secrets/plain-values.ts'
import { checkReferences } from '../secrets/references.ts'
import { resetReferring } from '../secrets/reset-referring.ts'
import { migrate } from '../drivers/migrate.ts'
import { openPg } from '../drivers/pg.ts'
import { PrincipalStore } from '../people/principals.ts'
import { Outbox } from '../outbox.ts'
import { Replicas } from '../replicas.ts'
import { SessionStore } from '../people/sessions.ts'
import { ProjectKeyCache } from '../../secrets/project-keys.ts'
import { Settings } from '../settings.ts'
import { StagedValues } from '../secrets/staged-values.ts'
import { Store } from '../store.ts'
import type { Sql } from '../drivers/sql.ts'
import { TokenStore } from '../people/tokens.ts'
import { UserStore } from '../people/users.ts'
import { controllerActor } from '../core/actor.ts'

const yearMs = 365 * 86_400_000

/** They end each write, in this order: the whole is checked, then what follows is marked, and the revisions of its projects are noted or closed. */
const lastSteps: readonly LastStep[] = [
  checkRemoved,
  checkEnvironments,
  admitTemplates,
  checkReferences,
  checkPlainReferences,
  checkSeparation,
  checkCredentials,
  checkPolicies,
  resetReferring,
  finishProjects,
]

interface OpenStoreOptions {
  /** An external Postgres; without it the embedded one in `dataDir`. */
  readonly databaseUrl?: string
  readonly dataDir: string
  /** The master keys. Closed with the store, also when opening it fails. */
  readonly keyRing: KeyRing
  readonly keyCache?: Omit<KeyCacheOptions, 'clock'>
  readonly clock: Clock
  readonly log: Logger
  /** How much history stays; where absent, the default. */
  readonly retention?: Retention
  /** Opens `sealedValue` of manifests. It must not ask the database: it is called inside writes. */
  readonly sealedValues?: SealedValueOpener
  /** Notifiers name addresses of these domains alone; absent: any. */
  readonly mailDomains?: readonly string[] | undefined
  /** A key that is older is due for rotation (ms). */
  readonly rotationMs?: number
  /** False: the controller replaces no key by itself. */
  readonly rotatesKeys?: boolean
}

export interface Opened {
  readonly store: Store
  readonly agents: AgentRegistry
  readonly users: UserStore
  readonly members: MemberStore
  readonly tokens: TokenStore
  readonly exchanged: ExchangedTokens
  readonly principals: PrincipalStore
  readonly logins: LoginStore
  readonly sessions: SessionStore
  readonly settings: Settings
  readonly keys: KeyStore
  readonly audit: AuditLog
  readonly activity: ActivityLog
  readonly idempotency: IdempotencyKeys
  readonly outbox: Outbox
  readonly staged: StagedValues
  /** Which of several controllers on a server leads; undefined: this one is alone. */
  readonly lease: LeaderLease | undefined
  readonly connections: AgentConnections
  readonly replicas: Replicas
  readonly sql: Sql
  /** Resolves when the database was restored or has lost commits: the store must then be opened again. */
  readonly outdated: Promise<void>
  /** close() was called. */
  readonly isClosed: boolean
  /** Ends every watch, waits for begun writes, closes the database. Safe to call twice. */
  close(): Promise<void>
}

const ensureDefaultNamespace = async (store: Store): Promise<void> => {
  const ref = { kind: 'Namespace', namespace: '', name: 'default' }
  await store.write(controllerActor, {}, async (tx) => {
    if ((await tx.get(ref)) !== undefined) return
    await tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
  })
}

type DatabaseOptions = Pick<OpenStoreOptions, 'databaseUrl' | 'clock' | 'log'>

/**
 * The database alone, not brought up to date: for backup and restore. On a server a statement may
 * take `deadlineMs`. Conflict for a folder in use.
 */
export const openDatabase = async (
  options: DatabaseOptions & Pick<OpenStoreOptions, 'dataDir'> & { readonly deadlineMs?: number },
): Promise<Sql> => {
  const { databaseUrl, dataDir } = options
  if (databaseUrl !== undefined) return openPg({ ...options, databaseUrl })
  const { openPglite } = await import('../drivers/pglite.ts')
  return openPglite({ dataDir })
}

/** Heartbeats and the lease have connections of their own, so that slow statements do not delay them. */
const leaseDeadlineMs = 1_500
const migrationDeadlineMs = 600_000

const openLeaseSql = ({ databaseUrl, clock, log }: DatabaseOptions): Sql | undefined =>
  databaseUrl === undefined
    ? undefined
    : openPg({ databaseUrl, clock, log, maxConnections: 2, deadlineMs: leaseDeadlineMs })

/** On a server a migration may take its time. */
const migrateWith = async (
  sql: Sql,
  { databaseUrl, clock, log }: DatabaseOptions,
): Promise<string[]> => {
  if (databaseUrl === undefined) return migrate(sql)
  const patient = openPg({
    databaseUrl,
    clock,
    log,
    maxConnections: 1,
    deadlineMs: migrationDeadlineMs,
  })
  return migrate(patient).finally(() => patient.close())
}

/** InternalError for the wrong master key or a newer schema, Conflict for a folder in use. */
export const openStore = async (options: OpenStoreOptions): Promise<Opened> => {
  const { keyRing, clock, log } = options
  const { keyCache = {}, retention = defaultRetention, sealedValues, mailDomains } = options
  const { rotationMs = yearMs, rotatesKeys = true } = options
  const sql = await openDatabase(options)
  const leaseSql = openLeaseSql(options)
  let started: Store | undefined
  try {
    await refuseWrongKey(sql, keyRing)
    const applied = await migrateWith(sql, options)
    if (applied.length > 0) log.info({ applied }, 'database migrated')
    const replica = randomUUID()
    const replicas = new Replicas(sql, leaseSql ?? sql, replica)
    // Before the first stream and the first write: streams of a replica without a heartbeat count as lost.
    await (leaseSql === undefined ? replicas.noteBefore() : replicas.beat())
    let onOutdated = (): void => undefined
    const outdated = new Promise<void>((resolve) => (onOutdated = resolve))
    const store = await Store.start({
      sql,
      replica,
      keyRing,
      keyCache,
      clock,
      log,
      retention,
      sealedValues,
      mailDomains,
      replicas: () => replicas.others.length + 1,
      onOutdated,
      lastSteps,
    })
    started = store
    await claimKey(store, keyRing)
    await noteRestore(store)
    await ensureDefaultNamespace(store)
    const access = await AccessChanges.start(sql, store)
    const settings = new Settings(sql, keyRing, store)
    let closing: Promise<void> | undefined
    return {
      store,
      agents: new AgentRegistry(sql, store, clock),
      users: new UserStore(sql, access),
      members: new MemberStore(sql, access),
      tokens: new TokenStore(sql, access),
      exchanged: new ExchangedTokens(access),
      principals: new PrincipalStore(sql, clock, access),
      logins: new LoginStore(sql, access),
      sessions: new SessionStore(sql, clock, access),
      settings,
      keys: new KeyStore({ sql, store, keyRing, clock, log, rotationMs, rotatesKeys }),
      activity: new ActivityLog(sql),
      audit: new AuditLog({ sql, store, settings }),
      idempotency: new IdempotencyKeys(sql, settings, clock),
      outbox: new Outbox(sql),
      staged: new StagedValues(sql, new ProjectKeyCache(keyRing, { clock, max: 100 })),
      lease: leaseSql && createLeaderLease(leaseSql),
      connections: new AgentConnections(sql, store, replicas.id),
      replicas,
      sql,
      outdated,
      get isClosed() {
        return closing !== undefined
      },
      close: () =>
        (closing ??= (async () => {
          await access.stop()
          await leaseSql?.close()
          await store.close()
        })()),
    }
  } catch (error) {
    await leaseSql?.close()
    if (started !== undefined) await started.close()
    else {
      keyRing.close()
      await sql.close()
    }
    throw error
  }
}
